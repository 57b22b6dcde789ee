"""What OpenAPI cannot derive from the code: bodies of several kinds, answers, examples."""

from typing import Any

from yolopv2.serving.errors import MEDIA_TYPE
from yolopv2.serving.options import PredictBody

Answers = dict[int | str, dict[str, Any]]

_BINARY = {"schema": {"type": "string", "format": "binary"}}
_NUMBER, _TEXT, _WHOLE = {"type": "number"}, {"type": "string"}, {"type": "integer", "minimum": 0}


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "null"}]}


def _object(properties: dict[str, Any], optional: tuple[str, ...] = ()) -> dict[str, Any]:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required}


_MASK = _object({"size": {"type": "array", "items": _WHOLE, "minItems": 2, "maxItems": 2}, "counts": _TEXT})
_POINTS = {"type": "array", "items": {"type": "array", "items": _NUMBER, "minItems": 2, "maxItems": 2}}
_VEHICLE = _object(
    {
        "xyxy": {"type": "array", "items": _NUMBER, "minItems": 4, "maxItems": 4},
        "confidence": {"type": "number", "minimum": 0, "maximum": 1},
        "class_id": _WHOLE,
        "category": _TEXT,
        "track_id": {"type": "integer"},
        "mask": _MASK,
    },
    optional=("track_id", "mask"),
)
_SCENE = _object(
    {
        "schema": {"const": "yolopv2.scene/1"},
        "source": _or_null(_TEXT),
        "index": _WHOLE,
        "time": _or_null(_NUMBER),
        "height": _WHOLE,
        "width": _WHOLE,
        "names": {"type": "object", "additionalProperties": _TEXT},
        "tracked": {"type": "boolean"},
        "instance_masks": {"type": "boolean"},
        "vehicles": {"type": "array", "items": _VEHICLE},
        "drivable": _or_null(_MASK),
        "lanes": _or_null(_MASK),
        "drivable_polygons": {"type": "array", "items": _POINTS},
        "lane_lines": {"type": "array", "items": _POINTS},
    }
)
_PROBLEM = _object(
    {"type": _TEXT, "title": _TEXT, "status": {"type": "integer"}, "detail": _TEXT, "errors": {"type": "array"}},
    optional=("errors",),
)
_JOB = _object(
    {
        "id": _TEXT,
        "state": {"enum": ["queued", "running", "done", "failed", "cancelled"]},
        "name": _TEXT,
        "options": {"type": "object"},
        "starts": _WHOLE,
        "frames": _WHOLE,
        "total": _or_null(_WHOLE),
        "created": _TEXT,
        "started": _or_null(_TEXT),
        "finished": _or_null(_TEXT),
        "error": _or_null(_TEXT),
        "remarks": {"type": "array", "items": _TEXT},
        "events": _TEXT,
        "results": {"type": "object", "additionalProperties": _TEXT},
    },
    optional=("started", "finished", "error"),  # FastAPI drops what is null from examples
)
SCHEMAS = {"Scene": _SCENE, "Problem": _PROBLEM, "Job": _JOB}


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


_JOB_EXAMPLE = {
    "id": "5f1c0a8e9d3b4c21",
    "state": "running",
    "name": "drive.mp4",
    "options": {"conf": 0.3, "annotate": True},
    "starts": 1,
    "frames": 120,
    "total": 900,
    "created": "2026-01-31T12:00:00Z",
    "started": "2026-01-31T12:00:01Z",
    "remarks": [],
    "events": "/v1/jobs/5f1c0a8e9d3b4c21/events",
    "results": {},
}
_PROBLEM_EXAMPLE = {
    "type": "about:blank",
    "title": "Unprocessable Content",
    "status": 422,
    "detail": "street.jpg: the JPEG file is truncated",
}

_A_PROBLEM = {
    "description": "A problem, with a reason that a person understands (RFC 9457).",
    "content": {MEDIA_TYPE: {"schema": _ref("Problem"), "example": _PROBLEM_EXAMPLE}},
}
PROBLEMS: Answers = {"4XX": _A_PROBLEM, "5XX": _A_PROBLEM}
NOT_FOUND: Answers = {404: _A_PROBLEM}
CONFLICT: Answers = {409: _A_PROBLEM}


def _job(words: str) -> dict[str, Any]:
    return {"description": words, "content": {"application/json": {"schema": _ref("Job"), "example": _JOB_EXAMPLE}}}


JOB_ACCEPTED: Answers = {202: {**_job("The job, which is queued."), "headers": {"Location": {"schema": _TEXT}}}}
JOB_FOUND: Answers = {200: _job("The job."), **NOT_FOUND}
JOB_LIST: Answers = {
    200: {
        "description": "All jobs.",
        "content": {"application/json": {"schema": _object({"jobs": {"type": "array", "items": _ref("Job")}})}},
    }
}
JOB_EVENTS: Answers = {
    200: {
        "description": "Events `progress` and, as the last one, `end`; the data is the job.",
        "content": {"text/event-stream": {"schema": _TEXT}},
    },
    **NOT_FOUND,
}
_RANGES: Answers = {206: {"description": "The range that was asked for."}}
JOB_SCENES: Answers = {
    200: {"description": "One scene per line.", "content": {"application/jsonl": {"schema": _TEXT}}},
    **_RANGES,
    **NOT_FOUND,
    **CONFLICT,
}
JOB_VIDEO: Answers = {
    200: {"description": "H.264 in MP4.", "content": {"video/mp4": _BINARY}},
    **_RANGES,
    **NOT_FOUND,
    **CONFLICT,
}

_FILES = {"type": "array", "items": {"type": "string", "format": "binary"}, "description": "The pictures."}
_JSON_EXAMPLE = {"images": [{"data": "/9j/4AAQSkZJRg...", "name": "street.jpg"}], "conf": 0.4, "classes": ["vehicle"]}

PREDICT_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {"schema": _object({"file": _FILES})},
            "image/jpeg": _BINARY,
            "image/png": _BINARY,
            "application/octet-stream": _BINARY,
            "application/json": {
                "schema": PredictBody.model_json_schema(ref_template="#/components/schemas/{model}"),
                "example": _JSON_EXAMPLE,
            },
        },
    }
}
SCHEMAS |= PREDICT_BODY["requestBody"]["content"]["application/json"]["schema"].pop("$defs")

PREDICT_ANSWERS: Answers = {
    200: {
        "description": "A scene per picture, or the one picture with everything drawn.",
        "content": {
            "application/json": {
                "schema": _object({"model": _TEXT, "scenes": {"type": "array", "items": _ref("Scene")}})
            },
            "image/png": _BINARY,
            "image/jpeg": _BINARY,
        },
    }
}

VIDEO_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {"schema": _object({"file": {"type": "string", "format": "binary"}})},
            "video/mp4": _BINARY,
            "application/octet-stream": _BINARY,
        },
    }
}
