"""Textured triangle meshes on the CPU: rasterise to a sampling map, then sample and blend.

A layer is drawn in two compiled passes: :func:`rasterize` writes, for each output pixel, where in the texture it
comes from (nearest triangle wins), and :func:`blend`, or :func:`blend_through` for what is seen through, samples the
texture there and lays it over the frame.
"""

from __future__ import annotations

import numpy as np

from durian.jit import kept_jit

NOWHERE = np.float32(-1e6)
"""Map value of a pixel that no triangle covers."""
_EDGE_TOLERANCE = 1e-4  # barycentric; closes hairline cracks between neighbouring triangles


@kept_jit(nogil=True, fastmath=True)
def rasterize(vertices, texture_points, triangles, facing, map_x, map_y, depth):
    """Fill the sampling map of a mesh, keeping the nearest surface.

    Args:
        vertices: ``(V, 3) float32`` output positions, x and y in pixels, smaller z is nearer.
        texture_points: ``(V, 2) float32`` positions in the texture, pixels.
        triangles: ``(T, 3) int32``.
        facing: ``(T,) float32``; a triangle is drawn where the sign of its area agrees (0: both sides are drawn).
        map_x, map_y: ``(H, W) float32``, written; :data:`NOWHERE` where nothing is drawn.
        depth: ``(H, W) float32``, written.
    """
    height, width = map_x.shape
    for y in range(height):
        for x in range(width):
            map_x[y, x] = NOWHERE
            map_y[y, x] = NOWHERE
            depth[y, x] = 1e9
    for t in range(triangles.shape[0]):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        ax, ay = vertices[a, 0], vertices[a, 1]
        bx, by = vertices[b, 0], vertices[b, 1]
        cx, cy = vertices[c, 0], vertices[c, 1]
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        if abs(area) <= 1e-9 or area * facing[t] < 0:
            continue
        x_low = max(0, int(np.ceil(min(ax, bx, cx) - 1e-3)))
        x_high = min(width - 1, int(np.floor(max(ax, bx, cx) + 1e-3)))
        y_low = max(0, int(np.ceil(min(ay, by, cy) - 1e-3)))
        y_high = min(height - 1, int(np.floor(max(ay, by, cy) + 1e-3)))
        inverse = 1.0 / area
        for y in range(y_low, y_high + 1):
            for x in range(x_low, x_high + 1):
                wb = ((x - ax) * (cy - ay) - (y - ay) * (cx - ax)) * inverse
                wc = ((bx - ax) * (y - ay) - (by - ay) * (x - ax)) * inverse
                wa = 1.0 - wb - wc
                if wa < -_EDGE_TOLERANCE or wb < -_EDGE_TOLERANCE or wc < -_EDGE_TOLERANCE:
                    continue
                z = wa * vertices[a, 2] + wb * vertices[b, 2] + wc * vertices[c, 2]
                if z < depth[y, x]:
                    depth[y, x] = z
                    map_x[y, x] = wa * texture_points[a, 0] + wb * texture_points[b, 0] + wc * texture_points[c, 0]
                    map_y[y, x] = wa * texture_points[a, 1] + wb * texture_points[b, 1] + wc * texture_points[c, 1]


@kept_jit(nogil=True, fastmath=True)
def blend(frame, texture, map_x, map_y, opacity):
    """Lay a premultiplied RGBA texture over a frame through a sampling map, bilinearly.

    Args:
        frame: ``(H, W, 3) uint8``, changed in place.
        texture: ``(h, w, 4) uint8``, colour premultiplied by alpha.
        map_x, map_y: ``(H, W) float32`` texture pixels.
        opacity: 0 to 1, scales the whole layer.
    """
    height, width = map_x.shape
    texture_height, texture_width = texture.shape[:2]
    for y in range(height):
        for x in range(width):
            u, v = map_x[y, x], map_y[y, x]
            if u == NOWHERE:
                continue
            # Beyond its border a texture goes on as its outermost pixels.
            u = min(max(u, np.float32(0.0)), np.float32(texture_width - 1))
            v = min(max(v, np.float32(0.0)), np.float32(texture_height - 1))
            u0, v0 = int(u), int(v)
            u1, v1 = min(u0 + 1, texture_width - 1), min(v0 + 1, texture_height - 1)
            fu, fv = u - u0, v - v0
            w00, w01 = (1 - fu) * (1 - fv), fu * (1 - fv)
            w10, w11 = (1 - fu) * fv, fu * fv
            alpha = (
                w00 * texture[v0, u0, 3]
                + w01 * texture[v0, u1, 3]
                + w10 * texture[v1, u0, 3]
                + w11 * texture[v1, u1, 3]
            ) * opacity
            if alpha < 0.25:
                continue
            keep = 1.0 - alpha / 255.0
            for k in range(3):
                colour = (
                    w00 * texture[v0, u0, k]
                    + w01 * texture[v0, u1, k]
                    + w10 * texture[v1, u0, k]
                    + w11 * texture[v1, u1, k]
                ) * opacity
                frame[y, x, k] = np.uint8(min(max(frame[y, x, k] * keep + colour + 0.5, 0.0), 255.0))


@kept_jit(nogil=True, fastmath=True)
def blend_through(frame, texture, map_x, map_y, opacity):
    """Lay a see-through texture over a frame through a sampling map, bilinearly: ``frame * (1 - hidden) + added``.

    Glass, tint and stubble hide another share of what lies behind them in each colour.

    Args:
        frame: ``(H, W, 3) uint8``, changed in place.
        texture: ``(h, w, 6) uint8``: the colour that is added, then how much of red, green and blue is hidden.
        map_x, map_y: ``(H, W) float32`` texture pixels.
        opacity: 0 to 1, scales the whole layer.
    """
    height, width = map_x.shape
    texture_height, texture_width = texture.shape[:2]
    for y in range(height):
        for x in range(width):
            u, v = map_x[y, x], map_y[y, x]
            if u == NOWHERE:
                continue
            u = min(max(u, np.float32(0.0)), np.float32(texture_width - 1))
            v = min(max(v, np.float32(0.0)), np.float32(texture_height - 1))
            u0, v0 = int(u), int(v)
            u1, v1 = min(u0 + 1, texture_width - 1), min(v0 + 1, texture_height - 1)
            fu, fv = u - u0, v - v0
            w00, w01 = (1 - fu) * (1 - fv), fu * (1 - fv)
            w10, w11 = (1 - fu) * fv, fu * fv
            for k in range(3):
                added = (
                    w00 * texture[v0, u0, k]
                    + w01 * texture[v0, u1, k]
                    + w10 * texture[v1, u0, k]
                    + w11 * texture[v1, u1, k]
                )
                hidden = (
                    w00 * texture[v0, u0, k + 3]
                    + w01 * texture[v0, u1, k + 3]
                    + w10 * texture[v1, u0, k + 3]
                    + w11 * texture[v1, u1, k + 3]
                )
                keep = 1.0 - opacity * hidden / 255.0
                frame[y, x, k] = np.uint8(min(max(frame[y, x, k] * keep + opacity * added + 0.5, 0.0), 255.0))


class Canvas:
    """Scratch maps of one output size, reused for every layer and frame."""

    def __init__(self, width: int, height: int):
        self.map_x = np.empty((height, width), np.float32)
        self.map_y = np.empty((height, width), np.float32)
        self.depth = np.empty((height, width), np.float32)

    def draw(self, frame, texture, vertices, texture_points, triangles, facing, opacity=1.0, box=None) -> None:
        """Rasterise a mesh and blend its texture over ``frame`` in place; arguments as in the two passes.

        A ``texture`` of four channels is laid over by :func:`blend`, one of six by :func:`blend_through`. ``box``
        ``(x0, y0, x1, y1)`` limits the work to a part of the frame.
        """
        if box is None:
            x0, y0, x1, y1 = 0, 0, frame.shape[1], frame.shape[0]
        else:
            x0, y0, x1, y1 = box
        if x1 <= x0 or y1 <= y0:
            return
        part = (slice(y0, y1), slice(x0, x1))
        shifted = vertices - np.array([x0, y0, 0], np.float32) if x0 or y0 else vertices
        map_x, map_y, depth = self.map_x[part], self.map_y[part], self.depth[part]
        rasterize(shifted.astype(np.float32, copy=False), texture_points, triangles, facing, map_x, map_y, depth)
        lay_over = blend if texture.shape[2] == 4 else blend_through
        lay_over(frame[part], texture, map_x, map_y, opacity)

    def covered(self, part: tuple[slice, slice]) -> np.ndarray:
        """Which pixels of a ``part`` of the box drawn last the mesh covered, ``(h, w) bool``."""
        return self.map_x[part] != NOWHERE
