"""Paints what stands on posts: street lamps, wires, signs, traffic lights, and small street furniture."""

import math

import numpy as np

from .camera import NEAR
from .canvas import OBSTACLE
from .things import Post
from .viewpoint import Points, Viewpoint, up

_THICKNESS = {"lamp": 0.16, "pole": 0.26, "sign": 0.07, "signal": 0.16}
_BOXES = {
    "cabinet": (((38.0, 66, 52), (92, 94, 92), (36, 60, 110), (58, 56, 54)), (0.6, 1.05)),
    "cone": (((232.0, 96, 28),), (0.34, 0.72)),
}
_SIGNS = ((198.0, 36, 38), (222.0, 178, 34), (226.0, 226, 222), (34.0, 70, 150), (28.0, 104, 66), (214.0, 214, 210))
_SIGNALS = ((0.34, (255.0, 40, 34)), (-0.34, (60.0, 255, 190)), (-0.34, (60.0, 255, 190)))
_CORNERS = np.array([[-0.5, 0, -0.5], [0.5, 0, -0.5], [0.5, 0, 0.5], [-0.5, 0, 0.5]])


class PostPainter:
    """Paints the posts of one frame."""

    def __init__(self, view: Viewpoint) -> None:
        self.view = view

    def paint(self, post: Post) -> None:
        """Paint a post and what it carries over what is there."""
        view = self.view
        foot = view.at(post.s, post.t)
        if float(view.camera.depth(foot)) < 1.5:
            return
        grey = np.array([104.0, 104, 100]) * (view.light() + view.headlights(float(foot[0]), float(foot[1])))
        if post.kind in _BOXES:
            colours, size = _BOXES[post.kind]
            self._panel(foot + up(size[1] / 2), size, np.array(colours[post.look % len(colours)]))
        elif post.kind == "gantry":
            self._gantry(post, foot, grey)
        else:
            top = foot + up(post.height)
            self.strut(np.stack([foot, top]), _THICKNESS[post.kind], grey * (0.7 if post.kind == "pole" else 1.0))
            {"lamp": self._lamp, "pole": self._wires, "sign": self._sign, "signal": self._signal}[post.kind](
                post, top, grey
            )

    def strut(self, ends: Points, thick: float, colour: Points) -> None:
        """A bar `thick` metres wide through ego points ``[k, 3]``."""
        depth = self.view.camera.depth(ends).tolist()
        distance = sum(depth) / len(depth)
        pixels = self.view.camera.focal * thick / max(distance, NEAR)
        if min(depth) > NEAR and pixels > 0.35:
            label = OBSTACLE if pixels > 0.8 else None
            colour = self.view.through_haze(colour, distance)
            self.view.canvas.line(self.view.camera.project(ends), colour, pixels, label)

    def _panel(self, centre: Points, size: tuple[float, float], colour: Points) -> None:
        """An upright rectangle, `size` metres wide and high, that faces the camera."""
        if float(self.view.camera.depth(centre)) > 1.0:
            x, y, _ = centre.tolist()
            light = self.view.light(np.array([0.0, -1.0])) + 1.6 * self.view.headlights(x, y)
            corners = self.view.camera.project(centre + _CORNERS * (size[0], 1, size[1]))
            self.view.canvas.polygon(corners, self.view.through_haze(colour * light, y), OBSTACLE)

    def _sign(self, post: Post, top: Points, _: Points) -> None:
        self._panel(top - (0, 0.05, 0.3), (0.62, 0.7), np.array(_SIGNS[post.look % len(_SIGNS)]))
        if post.look % 3 == 0:
            self._panel(top - (0, 0.08, 0.3), (0.4, 0.12), np.array([232.0, 232, 228]))

    def _lamp(self, post: Post, top: Points, grey: Points) -> None:
        head = self.view.at(post.s, post.t + post.arm, post.height + 0.35)
        self.strut(np.stack([top, head]), 0.11, grey)
        self._panel(head, (0.6, 0.14), np.array([90.0, 90, 88]))
        look, (x, y, z) = self.view.conditions, head.tolist()
        u, v, depth = self.view.camera.pixel(x, y, z)
        if look.dark < 0.3 or depth < 1.0:
            return
        colour = np.array([255.0, 206, 134]) if post.look % 3 else np.array([226.0, 238, 255])
        reach = self.view.camera.focal / depth
        fade = math.exp(-depth / (2 * look.visibility)) * look.dark
        self.view.canvas.ellipse((u, v), (max(0.24 * reach, 0.9), max(0.12 * reach, 0.7)), colour)
        self.view.canvas.glow((u, v), max(0.4 * reach, 1.4), colour * fade)
        self.view.canvas.glow((u, v), 1.9 * reach + 3, colour * (0.3 * fade))
        if look.wetness > 0.4:
            mirrored = self.view.camera.pixel(x, y, z - 2 * post.height)[:2]
            streak = colour * (0.25 * fade * look.wetness)
            self.view.canvas.glow(mirrored, 0.5 * reach + 2, streak, stretch=5.0, source=(u, v))

    def _wires(self, post: Post, _: Points, grey: Points) -> None:
        """Cross-arm and the wires to the next pole, `arm` metres on."""
        arm = np.stack([self.view.at(post.s, post.t + side, post.height - 0.5) for side in (-1.1, 1.1)])
        self.strut(arm, 0.12, grey * 0.7)
        share = np.linspace(0, 1, 7)
        for side in (-1.0, 0.1, 1.0):
            wire = self.view.stretch.to_ego(post.s + share * post.arm, post.t + side)
            wire[:, 2] += post.height - 0.4 - 4.4 * share * (1 - share)
            ahead = wire[self.view.camera.depth(wire) > 1.0]
            if len(ahead) >= 2:
                shade = self.view.through_haze(grey * 0.35, float(ahead[:, 1].mean()))
                self.view.canvas.line(self.view.camera.project(ahead), shade, 1.0)

    def _signal(self, post: Post, top: Points, grey: Points) -> None:
        """Traffic lights on an arm over the road."""
        head = self.view.at(post.s, post.t + post.arm, post.height)
        self.strut(np.stack([top, head]), 0.12, grey)
        lift, colour = _SIGNALS[post.look % len(_SIGNALS)]
        for share in (1.0, 0.55):
            x, y, z = self.view.at(post.s, post.t + post.arm * share, post.height - 0.35).tolist()
            u, v, depth = self.view.camera.pixel(x, y - 0.05, z + lift)
            if depth > 1.0:
                self._panel(np.array([x, y - 0.02, z]), (0.36, 1.05), np.array([44.0, 42, 34]))
                reach = self.view.camera.focal / depth
                self.view.canvas.ellipse((u, v), (max(0.13 * reach, 0.7), max(0.13 * reach, 0.7)), colour)
                strength = 0.2 + 0.5 * self.view.conditions.dark
                self.view.canvas.glow((u, v), 0.5 * reach + 1, np.array(colour) * strength)

    def _gantry(self, post: Post, foot: Points, grey: Points) -> None:
        """A beam over the whole carriageway with green boards."""
        other, top = self.view.at(post.s, post.t + post.arm), up(post.height)
        for first, second in ((foot, foot + top), (other, other + top), (foot + top, other + top)):
            self.strut(np.stack([first, second]), 0.25, grey)
        self.strut(np.stack([foot + 0.87 * top, other + 0.87 * top]), 0.25, grey)
        for share in (0.28, 0.66):
            board = foot + (other - foot) * share + 0.93 * top - (0, 0.2, 0)
            self._panel(board, (3.6, 2.0), np.array([22.0, 96, 66]))
            for row, wide in ((0.45, 2.6), (-0.1, 2.0), (-0.6, 2.4)):
                self._panel(board + up(row) - (0, 0.05, 0), (wide, 0.22), np.array([214.0, 222, 216]))
