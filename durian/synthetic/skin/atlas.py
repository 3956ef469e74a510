"""Texture space of the skin: each texel's place on the neutral head, and the layers that are painted there."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from durian.synthetic.base.geometry import Label
from durian.synthetic.base.wear import Colour
from durian.synthetic.head.head import FACE, HeadModel
from durian.synthetic.render.raster import NOTHING, rasterise
from durian.synthetic.render.surface import FACE_SIDE, SkinMaps

TILES = (FACE, ("head_neck",))
"""Regions of the head in each tile of the texture."""
MARGIN = 3
"""Texels around a tile's islands that repeat their edge, so that no seam is seen where four texels are mixed."""
FEWEST, MOST = 64, 2048
"""Sides that maps can have."""
BLOOD = (0.06, 0.58, 0.46)
"""Absorbance of a unit of blood in red, green and blue: proportions of haemoglobin's."""
PIGMENT = (0.40, 0.57, 0.90)
"""The same of melanin, about the wavelength to the power of -3.3 (Donner and Jensen, "A spectral BSSRDF for shading
human skin", 2006)."""
DARKEST = 1e-3
"""Skin's colour is multiplied: that of no colour stays as it is."""


@dataclass(frozen=True, eq=False)
class Atlas:
    """Texels that show skin, n of them, in tiles of ``side`` x ``side``.

    Attributes:
        side: texels.
        texel: size of one, cm.
        index: ``(n,) int64`` into the flattened tiles.
        points: ``(n, 3) float32`` on the neutral head, cm.
    """

    side: int
    texel: float
    index: np.ndarray
    points: np.ndarray


class Layers:
    """Layers painted on an atlas's texels; everything begins as even skin.

    Attributes:
        tone: ``(3,) float32`` the skin's linear colour.
        blood, pigment: ``(n,) float32`` more or less than usual.
        tint: ``(n, 3) float32`` factor of the colour, of what lies on the skin.
        height: ``(n,) float32`` cm.
        gloss: ``(n,) float32`` factor.
        label: ``(n,) uint8``; 0 leaves the triangles'.
        beard: ``(n,) float32`` in [0, 1].
    """

    def __init__(self, atlas: Atlas, tone: Colour) -> None:
        """Layers of skin whose linear colour is ``tone``."""
        count = len(atlas.index)
        self.atlas = atlas
        self.tone = np.maximum(np.float32(tone), DARKEST)
        self.blood = np.zeros(count, np.float32)
        self.pigment = np.zeros(count, np.float32)
        self.tint = np.ones((count, 3), np.float32)
        self.height = np.zeros(count, np.float32)
        self.gloss = np.ones(count, np.float32)
        self.label = np.zeros(count, np.uint8)
        self.beard = np.zeros(count, np.float32)

    def cover(self, share: np.ndarray, colour: Sequence[float], where: np.ndarray | slice = slice(None)) -> None:
        """Lay something over the skin.

        Args:
            share: ``(m,)`` how much of the skin it hides, in [0, 1].
            colour: ``(3,)`` linear.
            where: which m texels; all if left out.
        """
        tint = self.tint[where]
        self.tint[where] = tint + np.float32(share)[:, None] * (np.float32(colour) / self.tone - tint)

    def maps(self) -> SkinMaps:
        """The layers as textures of two tiles."""
        absorbed = self.blood[:, None] * np.float32(BLOOD) + self.pigment[:, None] * np.float32(PIGMENT)
        return SkinMaps(
            colour=self._tiles(self.tint * np.exp(-absorbed), 1),
            height=self._tiles(self.height, 0),
            gloss=self._tiles(np.maximum(self.gloss, 0), 1),
            label=self._tiles(self.label, Label.BACKGROUND),
            beard=self._tiles(np.clip(self.beard, 0, 1), 0),
        )

    def _tiles(self, values: np.ndarray, elsewhere: float) -> np.ndarray:
        side, depth = self.atlas.side, values.shape[1:]
        tiles = np.full((len(TILES) * side * side, *depth), elsewhere, values.dtype)
        tiles[self.atlas.index] = values
        return tiles.reshape(len(TILES), side, side, *depth)


def side_for(pixel: float) -> int:
    """Side of the tiles whose texels are as large as pixels of ``pixel`` cm, or up to twice as small."""
    side = MOST
    while side > FEWEST and FACE_SIDE / side * 2 <= pixel:
        side //= 2
    return side


def chance(seed: int, purpose: str) -> np.random.Generator:
    """A person's chance for one purpose: what else is drawn does not change it."""
    return np.random.default_rng([seed, zlib.crc32(purpose.encode())])


@lru_cache(maxsize=3)
def atlas_of(head: HeadModel, side: int) -> Atlas:
    """The atlas of a head; the first of each size takes half a second."""
    from scipy.ndimage import distance_transform_edt

    points = np.zeros((len(TILES), side, side, 3), np.float32)
    shown = np.zeros((len(TILES), side, side), bool)
    for tile, regions in enumerate(TILES):
        triangles = np.ascontiguousarray(head.render_triangles[head.in_region(*regions)])
        u, v = head.uv.T
        flat = np.stack([(u - tile) * side, (1 - v) * side, np.ones_like(u)]).astype(np.float32)
        index = rasterise(flat, triangles, side, side)[0][:, 0]
        covered = index != NOTHING
        row, column = np.nonzero(covered)
        corners = triangles[index[covered]]
        weights = _barycentric(flat[:2], corners, np.stack([column, row]) + 0.5)
        on_head = np.zeros((side, side, 3), np.float32)
        on_head[covered] = np.einsum("nk,nkc->nc", weights, head.neutral[head.render_vertices[corners]])
        away, (row, column) = distance_transform_edt(~covered, return_indices=True)
        points[tile], shown[tile] = on_head[row, column], away <= MARGIN
    return Atlas(side, FACE_SIDE / side, np.flatnonzero(shown), points[shown])


def _barycentric(flat: np.ndarray, corners: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Weights ``(n, 3)`` of triangles' corners ``(n, 3)`` at places ``(2, n)``, all in a plane."""
    (ax, bx, cx), (ay, by, cy) = np.moveaxis(flat[:, corners].astype(np.float64), -1, 1)
    x, y = places
    area = (bx - ax) * (cy - ay) - (cx - ax) * (by - ay)
    of_a = ((bx - x) * (cy - y) - (cx - x) * (by - y)) / area
    of_b = ((cx - x) * (ay - y) - (ax - x) * (cy - y)) / area
    return np.clip(np.stack([of_a, of_b, 1 - of_a - of_b], axis=1), 0, 1)
