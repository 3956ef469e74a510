"""The shader's input: every vertex and triangle of a frame, the maps of the skin, the irises."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

FACE_SIDE = 29.6
"""cm on the face along one side of its texture; 40 on the rest of the head."""


class Surface(NamedTuple):
    """Everything that is drawn in one frame; N vertices, T triangles.

    Attributes:
        seen: ``(3, N) float32`` x and y in samples, and one over the distance.
        position: ``(N, 3) float32`` as posed, cm.
        rest: ``(N, 3) float32`` in the neutral head, where noise is looked up so that it sticks to the skin.
        normal: ``(N, 3) float32``; of strands the tangent, towards the tip.
        colour: ``(N, 3) float32`` linear.
        uv: ``(N, 2) float32``.
        ambient: ``(N, 4) float32`` of :func:`durian.synthetic.render.lighting.irradiance`.
        triangles: ``(T, 3) int32``.
        material: ``(T,) uint8`` :class:`~durian.synthetic.base.geometry.Material`.
        label: ``(T,) uint8`` :class:`~durian.synthetic.base.geometry.Label`.
    """

    seen: np.ndarray
    position: np.ndarray
    rest: np.ndarray
    normal: np.ndarray
    colour: np.ndarray
    uv: np.ndarray
    ambient: np.ndarray
    triangles: np.ndarray
    material: np.ndarray
    label: np.ndarray


class SkinMaps(NamedTuple):
    """Textures of one person's skin, n tiles of H x H texels: tile 0 the face, tile 1 the rest of head and neck.

    Attributes:
        colour: ``(n, H, H, 3) float32`` multiplies the colour of the vertices.
        height: ``(n, H, H) float32`` cm that the skin stands out: wrinkles, pores.
        gloss: ``(n, H, H) float32`` multiplies the strength of highlights.
        label: ``(n, H, H) uint8`` label that takes the place of the triangles', 0 for none: lips, nose.
        beard: ``(n, H, H) float32`` how much of a beard's shadow is seen, in [0, 1].
    """

    colour: np.ndarray
    height: np.ndarray
    gloss: np.ndarray
    label: np.ndarray
    beard: np.ndarray

    @classmethod
    def plain(cls, tiles: int = 2) -> SkinMaps:
        """Even skin: everything is left to the vertices' colours."""
        blank = np.zeros((tiles, 1, 1), np.float32)
        return cls(np.ones((tiles, 1, 1, 3), np.float32), blank, blank + 1, np.zeros((tiles, 1, 1), np.uint8), blank)

    def for_pixels(self, pixel: float) -> SkinMaps:
        """Maps whose texels are at most as large as ``pixel`` (cm), and no smaller than half of it if that can be
        had."""
        maps = self
        while maps.colour.shape[1] % 2 == 0 and FACE_SIDE / maps.colour.shape[1] * 2 <= pixel:
            maps = maps.halved()
        return maps

    def halved(self) -> SkinMaps:
        """Maps of half the side, for smaller pictures: means of 2 x 2 texels, and one of their labels."""

        def mean(texels: np.ndarray) -> np.ndarray:
            corners = [texels[:, row::2, column::2] for row in range(2) for column in range(2)]
            return ((corners[0] + corners[1] + corners[2] + corners[3]) / 4).astype(np.float32)

        label = np.ascontiguousarray(self.label[:, ::2, ::2])
        return SkinMaps(mean(self.colour), mean(self.height), mean(self.gloss), label, mean(self.beard))


class Eyes(NamedTuple):
    """Irises, in the eyeballs' texture coordinates: their middle is at (0.5, 0.5), radii are shares of the texture.

    ``colour (3,) float32`` linear; ``seed`` shifts the pattern.
    """

    colour: np.ndarray
    radius: float
    pupil: float
    seed: float
