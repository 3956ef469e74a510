"""The head model: a neutral mesh, offsets for identity and for expression, and places on its skin.

The mesh and its offsets are ICT-FaceKit's (USC ICT, MIT), read from the file that :mod:`durian.synthetic.head.facekit`
makes. Lengths are centimetres; axes as in :mod:`durian.synthetic.base.geometry`. The neutral chin is at y = -7.6, the
crown at 14.5, the tip of the nose at z = 13.1, the eyes' middles at (±3.1, 3.6, 8.0).
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from durian.errors import InvalidRequest, WeightsMissing
from durian.settings import get_settings
from durian.synthetic.base.geometry import Label, Material, SurfacePoints
from durian.synthetic.base.shapes import vertex_normals
from durian.synthetic.head.eyeballs import Eyeball
from durian.synthetic.head.facekit import URL

if TYPE_CHECKING:
    from scipy.spatial import cKDTree

SKIN = ("face_narrow", "face_wide", "head_neck")
FACE = ("face_narrow", "face_wide")
SCLERAS = ("sclera_l", "sclera_r")
LASHES = ("lashes_l", "lashes_r")
UNSEEN = ("iris_", "lacrimal_", "eyeblend_", "eyeocc_", "lashes_")
"""Beginnings of regions that are not drawn as they are: helpers of a game engine's eye shader, and cards of lashes."""

EYE_CORNERS = (36, 39, 42, 45)
"""Landmarks."""

EAR_CENTRE, EAR_TOP, EAR_HALF_WIDTH = (0.85, 0.1), (3.9, -0.9), 1.65
"""An ear seen from the side: the middle and the top of an ellipse as (y, z), and half its width (cm; by eye)."""
JAW = ((-9.5, -4.5), (0.5, -3.2), (2.5, -4.6), (4.5, -6.4), (7.0, -7.6), (10.6, -8.2))
"""Where the neck begins, seen from the side: (z, y) from the nape along the jaw to the chin (cm; by eye)."""

BINDING_SOFTNESS = 0.3
"""Distance (cm) within which :meth:`HeadModel.nearest` hardly tells vertices apart (taste; they are 0.25-0.5 apart)."""

HOW_TO_GET = (
    f"clone {URL}, run 'python -m durian synth build-model --facekit CLONE -o FILE' "
    "and set DURIAN_HEAD_MODEL to that file."
)


class HeadModel:
    """The head of everybody, V = 26,719 vertices and T triangles that are drawn.

    Attributes:
        neutral: ``(V, 3) float32`` positions of the head nobody has.
        triangles: ``(T, 3) int32`` indices of ``neutral``.
        render_vertices: ``(R,) int32`` the vertex of ``neutral`` behind each vertex that is drawn; one of ``neutral``
            is drawn several times where the texture has seams, and not at all if no triangle of ``triangles`` has it.
        render_triangles: ``(T, 3) int32`` indices of ``render_vertices``, one for one the same as ``triangles``.
        uv: ``(R, 2) float32`` texture coordinates, v upwards. The face lies in [0, 1]² and so does each eyeball, the
            back of the head has u in [1, 2], gums and tongue [2, 3], teeth [3, 4].
        region: ``(T,) uint8`` index into ``region_names``.
        skin_triangles: ``(T,) bool`` face, head, ears and neck.
        skin_vertices: ``(S,) int32`` their vertices.
        landmarks68: ``(68,) int32`` vertices of the Multi-PIE landmarks; 0 to 16 run along the jaw from the right ear.
        rigid_landmarks: ``(9,) int32`` numbers of those landmarks that expressions move least.
        expression_names: ARKit's names, ``_L`` and ``_R`` being the person's sides.
        identity_count: how many numbers make a person.
    """

    def __init__(self, data: Mapping[str, np.ndarray]) -> None:
        self.neutral = np.ascontiguousarray(data["neutral"], np.float32)
        self.region_names = tuple(str(name) for name in data["reg_names"])
        seen = [i for i, name in enumerate(self.region_names) if not name.startswith(UNSEEN)]
        drawn = np.isin(data["tri_reg"], seen)
        self.region = data["tri_reg"][drawn]
        self.triangles = data["tris"][drawn].astype(np.int32)
        self.render_vertices, self.uv, self.render_triangles = _split_at_seams(
            self.triangles, data["tri_uv"][drawn], data["uv"]
        )
        self.skin_triangles = self.in_region(*SKIN)
        self.skin_vertices = np.unique(self.triangles[self.skin_triangles])
        self.landmarks68 = data["lm68"].astype(np.int32)
        self.rigid_landmarks = data["vi_idx_to_rigid_landmark_idx"].astype(np.int32)

        self._identities = data["id_delta"].astype(np.float32).reshape(len(data["id_delta"]), -1)  # I x 3V
        self.identity_count = len(self._identities)
        self.expression_names = tuple(str(name) for name in data["expr_names"])
        self._expression_numbers = {name: number for number, name in enumerate(self.expression_names)}
        self._expression_rows = data["ex_ptr"].astype(np.int64)
        self._expression_vertices = data["ex_idx"].astype(np.int64)
        self._expression_offsets = data["ex_val"].astype(np.float32)

        lash = np.isin(data["tri_reg"], [i for i, name in enumerate(self.region_names) if name in LASHES])
        self._lash_cards = data["tris"][lash].astype(np.int32), data["uv"][data["tri_uv"][lash]]

    @classmethod
    def load(cls, path: Path | str | None = None) -> HeadModel:
        """Read a model file, by default the one of ``DURIAN_HEAD_MODEL``; takes half a second.

        Raises:
            WeightsMissing: there is none, or it is something else; the sentence says how to get one.
        """
        path = Path(path) if path is not None else get_settings().head_model
        try:
            with np.load(path) as data:
                return cls({name: data[name] for name in data.files})
        except OSError as error:
            raise WeightsMissing(f"There is no head model at {path}: {HOW_TO_GET}") from error
        except (ValueError, TypeError, LookupError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            raise WeightsMissing(f"{path} is not a whole head model: {HOW_TO_GET}") from error

    def in_region(self, *names: str) -> np.ndarray:
        """``(T,) bool``: which triangles belong to one of these regions."""
        return np.isin(self.region, [self.region_names.index(name) for name in names])

    @cached_property
    def labels(self) -> np.ndarray:
        """``(T,) uint8`` :class:`Label` of each triangle; lips, nose and irises, which cut triangles, count as face and
        sclera."""
        labels = np.full(len(self.triangles), Label.FACE, np.uint8)
        labels[self.in_region(*SCLERAS)] = Label.SCLERA
        labels[self.in_region("teeth")] = Label.TEETH
        labels[self.in_region("gums_tongue", "mouth_socket")] = Label.MOUTH
        y, z = self.middles[:, 1:].T
        (ear_y, ear_z), axis = EAR_CENTRE, np.subtract(EAR_TOP, EAR_CENTRE)
        length = np.hypot(*axis)
        up, across = axis / length
        along = (y - ear_y) * up + (z - ear_z) * across
        aside = (z - ear_z) * up - (y - ear_y) * across
        ear = (along / length) ** 2 + (aside / EAR_HALF_WIDTH) ** 2 < 1
        neck = y < np.interp(z, *np.transpose(JAW))
        labels[self.skin_triangles & ear] = Label.EAR
        labels[self.skin_triangles & neck] = Label.NECK
        return labels

    @cached_property
    def materials(self) -> np.ndarray:
        """``(T,) uint8`` :class:`Material` of each triangle."""
        materials = np.full(len(self.triangles), Material.SKIN, np.uint8)
        materials[self.in_region(*SCLERAS)] = Material.EYE
        materials[self.in_region("teeth")] = Material.TEETH
        materials[self.in_region("gums_tongue", "mouth_socket")] = Material.GUM
        return materials

    @cached_property
    def normals(self) -> np.ndarray:
        """``(V, 3) float32`` unit normals of the neutral head."""
        return vertex_normals(self.neutral, self.triangles)

    @cached_property
    def middles(self) -> np.ndarray:
        """``(T, 3) float32`` middles of the neutral head's triangles."""
        return self.neutral[self.triangles].mean(axis=1)

    @cached_property
    def face_uv(self) -> np.ndarray:
        """``(V, 2) float32`` texture coordinates of the face's vertices, which have no seams; NaN elsewhere."""
        found = np.full((len(self.neutral), 2), np.nan, np.float32)
        corners = self.render_triangles[self.in_region(*FACE)].ravel()
        found[self.render_vertices[corners]] = self.uv[corners]
        return found

    @cached_property
    def tree(self) -> cKDTree:
        """Neighbour search over ``neutral[skin_vertices]``."""
        from scipy.spatial import cKDTree

        return cKDTree(self.neutral[self.skin_vertices])

    def identity(self, weights: np.ndarray) -> np.ndarray:
        """Offsets ``(V, 3) float32`` of a person from the neutral head: :math:`\\sum_i w_i D_i`.

        Args:
            weights: ``(100,)``; FaceKit's principal components, scaled so that people have a standard deviation of one.

        Raises:
            ValueError: another number of weights.
        """
        weights = np.asarray(weights, np.float32)
        if weights.shape != (self.identity_count,):
            raise ValueError(f"An identity has {self.identity_count} weights, not {weights.shape}.")
        # einsum and not BLAS, whose sums depend on the number of threads.
        return np.einsum("i,iv->v", weights, self._identities).reshape(-1, 3)

    def expression(self, amounts: Mapping[str, float]) -> np.ndarray:
        """Offsets ``(V, 3) float32`` of an expression: the sum of ``amount`` × shape, 1 being FaceKit's full one.

        The shapes of gaze turn the eyeballs as well (:mod:`durian.synthetic.head.eyeballs`).

        Raises:
            InvalidRequest: there is no shape of that name.
        """
        unknown = [name for name in amounts if name not in self._expression_numbers]
        if unknown:
            raise InvalidRequest(f"There is no expression {unknown[0]!r}: use {', '.join(self.expression_names)}.")
        offsets = np.zeros_like(self.neutral)
        # In the model's order: the same amounts in another order give the same bits.
        for number, amount in sorted((self._expression_numbers[name], amount) for name, amount in amounts.items()):
            rows = slice(*self._expression_rows[number : number + 2])
            offsets[self._expression_vertices[rows]] += np.float32(amount) * self._expression_offsets[rows]
        for eyeball in self.eyeballs:
            turned = eyeball.offsets(amounts)
            if turned is not None:
                offsets[eyeball.vertices] += turned
        return offsets

    @cached_property
    def eyeballs(self) -> tuple[Eyeball, ...]:
        """Both, as they are in the neutral head."""
        sides = {name[-1].upper(): np.unique(self.triangles[self.in_region(name)]) for name in SCLERAS}
        return tuple(Eyeball.of(side, vertices, self.neutral) for side, vertices in sides.items())

    @property
    def lashes(self) -> np.ndarray:
        """``(n, K) int32`` vertices along each lash, root first; roots lie on the edges of the lids.

        FaceKit's lashes are cards: three behind each other on each lid, which share the roots of their 19 columns of
        K = 6 vertices; n = 228 columns. :meth:`expression` moves them with the lids.
        """
        return self._lashes[0]

    @property
    def upper_lashes(self) -> np.ndarray:
        """``(n,) bool``: which of :attr:`lashes` grow on the upper lids."""
        return self._lashes[1]

    @cached_property
    def _lashes(self) -> tuple[np.ndarray, np.ndarray]:
        from scipy.sparse import coo_matrix
        from scipy.sparse.csgraph import connected_components

        triangles, corner_uv = self._lash_cards
        count = len(self.neutral)
        edges = triangles[:, [0, 1, 1, 2]].reshape(-1, 2).T
        card = connected_components(coo_matrix((np.ones(edges.shape[1]), edges), (count, count)), directed=False)[1]
        uv = np.zeros((count, 2))
        uv[triangles] = corner_uv
        vertices = np.unique(triangles)
        u, v = uv[vertices].T
        column = u.round(3)  # columns are 0.027 apart and straight to 0.0001; v falls from root to tip
        rows = np.unique(np.stack([card[vertices], column]), axis=1, return_counts=True)[1][0]
        lashes = vertices[np.lexsort((-v, column, card[vertices]))].reshape(-1, rows)

        _, of_lash = np.unique(card[lashes[:, 0]], return_inverse=True)
        height_of_card = np.bincount(of_lash, self.neutral[lashes[:, 0], 1]) / np.bincount(of_lash)
        return lashes, (height_of_card > self.neutral[self.landmarks68[list(EYE_CORNERS)], 1].mean())[of_lash]

    def sample_surface(
        self, mask: np.ndarray, count: int, rng: np.random.Generator
    ) -> tuple[SurfacePoints, np.ndarray, np.ndarray]:
        """Points spread evenly over some of the neutral head's triangles.

        Args:
            mask: ``(T,) bool`` triangles.
            count: how many points, n.
            rng: where chance comes from.

        Returns:
            the points as vertices and weights, their positions ``(n, 3) float32`` and unit normals ``(n, 3) float32``.

        Raises:
            ValueError: the mask is empty.
        """
        triangles = self.triangles[mask]
        if not len(triangles):
            raise ValueError("No triangles to sample points on.")
        a, b, c = np.moveaxis(self.neutral[triangles].astype(np.float64), 1, 0)
        area = np.cumsum(np.linalg.norm(np.cross(b - a, c - a), axis=1))
        chosen = np.searchsorted(area, rng.random(count) * area[-1], side="right").clip(max=len(area) - 1)
        s, t = rng.random((2, count))
        s, t = np.where(s + t > 1, (1 - s, 1 - t), (s, t))  # the other half of the parallelogram, folded over
        points = SurfacePoints(triangles[chosen], np.stack([1 - s - t, s, t], axis=1).astype(np.float32))
        normals = self.at(points, self.normals)
        normals /= np.linalg.norm(normals, axis=1, keepdims=True)
        return points, self.at(points, self.neutral), normals

    @staticmethod
    def at(points: SurfacePoints, values: np.ndarray) -> np.ndarray:
        """Values of the vertices ``(V, C)`` (positions, offsets), interpolated at the points: ``(n, C)``."""
        return np.einsum("nk,nkc->nc", points.weights, values[points.vertices])

    def nearest(
        self, points: np.ndarray, k: int = 4, softness: float = BINDING_SOFTNESS
    ) -> tuple[np.ndarray, np.ndarray]:
        """Skin near each point, for the point to follow: by ``(weights[..., None] * offsets[vertices]).sum(axis=1)``.

        Args:
            points: ``(N, 3)`` in the neutral head's space.
            k: vertices a point follows.
            softness: cm; larger lets far vertices count more, for stiff things.

        Returns:
            vertices ``(N, k) int32``, nearest first, and weights ``(N, k) float32``, which fall with the squared
            distance and sum to one.
        """
        k = min(k, len(self.skin_vertices))
        distance, index = self.tree.query(np.asarray(points, np.float32), k=np.arange(1, k + 1))
        weights = 1 / (distance + softness) ** 2
        weights /= weights.sum(axis=1, keepdims=True)
        return self.skin_vertices[index], weights.astype(np.float32)


def _split_at_seams(
    triangles: np.ndarray, triangle_uv: np.ndarray, uv: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vertices that have one texture coordinate each.

    Returns:
        the old vertex of each, ``(R,) int32``, its texture coordinate, ``(R, 2) float32``, and the triangles, ``(T, 3)
        int32``.
    """
    pairs = triangles.astype(np.int64) * len(uv) + triangle_uv
    unique, index = np.unique(pairs, return_inverse=True)
    vertices, coordinates = np.divmod(unique, len(uv))
    return vertices.astype(np.int32), uv[coordinates].astype(np.float32), index.reshape(-1, 3).astype(np.int32)
