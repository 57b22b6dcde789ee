"""Runs an export in plain ONNX Runtime, without yolopv2 and without PyTorch, and draws what it sees.

yolopv2 export nano --nms --static && python examples/plain_onnxruntime.py nano-nms.onnx street.jpg seen.jpg
"""

import json
import sys

import cv2
import numpy as np
import onnxruntime


def main(graph: str, picture: str, drawn: str) -> None:
    """Writes the picture with vehicles, drivable area and lane markings; prints the vehicles."""
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    names = json.loads(session.get_modelmeta().custom_metadata_map["yolopv2"])["names"]
    _, height, width, _ = session.get_inputs()[0].shape
    frame = cv2.imread(picture)  # OpenCV's order of colours is BGR, the network's RGB
    scale = min(width / frame.shape[1], height / frame.shape[0])
    small = cv2.resize(frame, None, fx=scale, fy=scale)
    canvas = np.full((height, width, 3), 114, np.uint8)  # grey where the frame does not fill it
    canvas[: small.shape[0], : small.shape[1]] = small
    results = session.run(None, {"image": cv2.cvtColor(canvas, cv2.COLOR_BGR2RGB)[None]})
    seen = dict(zip([output.name for output in session.get_outputs()], results, strict=True))
    canvas[seen["drivable"][0] > 127] = (0, 160, 0)
    canvas[seen["lanes"][0] > 127] = (0, 128, 255)
    for i in range(seen["count"][0]):
        x1, y1, x2, y2 = (int(side) for side in seen["boxes"][0, i])
        cv2.rectangle(canvas, (x1, y1), (x2, y2), (255, 64, 64), 2)
        print(names[seen["class_ids"][0, i]], f"{seen['scores'][0, i]:.2f}", (seen["boxes"][0, i] / scale).round())
    cv2.imwrite(drawn, canvas)


if __name__ == "__main__":
    main(*sys.argv[1:])
