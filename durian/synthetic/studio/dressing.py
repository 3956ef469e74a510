"""Dressing: one person with everything they wear, ready to be posed; computed once for all frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from durian.synthetic.base.geometry import Label, Lens, Material, Mesh, Outfit
from durian.synthetic.base.shapes import vertex_normals
from durian.synthetic.hair.tufts import Tuft, grown, lashes, thinned
from durian.synthetic.head.binding import SkinField, bind_mesh
from durian.synthetic.head.head import SCLERAS, HeadModel
from durian.synthetic.render.ambient import directions, see_surroundings
from durian.synthetic.render.ribbons import COARSER, LONG, Threads
from durian.synthetic.render.surface import Eyes, SkinMaps

GUM_COLOUR, TEETH_COLOUR = (0.36, 0.10, 0.095), (0.72, 0.65, 0.56)
CASTERS = (Label.HAIR, Label.BEARD)
"""Strands that are dense enough to keep the surroundings' light from what lies below."""

NO_COLOUR = (0.05, 0.03, 0.02)
"""Of strands for which nobody gives one: dark brown."""

MOUTH = ("gums_tongue", "mouth_socket", "teeth")
OUT_OF_THE_MOUTH = 0.3
"""z of the directions that the inside of an open mouth sees; how much of them is a matter of the frame."""


@dataclass(frozen=True)
class Appearance:
    """Colours of one person's head.

    Attributes:
        skin: ``(R, 3) float32`` linear colours of the drawn vertices, before the maps; those of eyeballs and mouth do
            not matter.
        maps: the skin's textures.
        eyes: the irises.
        strands: ``(3,)`` colours of strands that have none, by label.
        scalp: ``(T,) bool`` triangles of skin that belong to the hair.
    """

    skin: np.ndarray
    maps: SkinMaps
    eyes: Eyes
    strands: Mapping[int, Sequence[float]]
    scalp: np.ndarray


@dataclass(frozen=True)
class Glass:
    """A lens: ``vertices``, ``normals`` ``(V, 3) float32``, ``heights (V,)`` on the neutral head, ``triangles (T, 3)``,
    ``colour (V, 3)`` that multiplies its tint."""

    vertices: np.ndarray
    normals: np.ndarray
    heights: np.ndarray
    triangles: np.ndarray
    colour: np.ndarray
    lens: Lens

    @classmethod
    def of(cls, mesh: Mesh, vertices: np.ndarray) -> Glass:
        """A mesh's lens, whose ``vertices (V, 3) float32`` are where its wearer has it."""
        normals = vertex_normals(vertices, mesh.triangles)
        return cls(vertices, normals, mesh.vertices[:, 1].copy(), mesh.triangles, mesh.colour, mesh.lens)


@dataclass(frozen=True)
class Dressed:
    """A person and an outfit. Vertices are the head's R, then the meshes' M, then two for each of the strands' P
    points.

    Attributes:
        face: ``(V, 3) float32`` the model's vertices with this identity, no expression.
        meshes, mesh_normals: ``(M, 3) float32``.
        points: ``(P, 3) float32`` of strands, no expression.
        moving: ``(Q,) int32`` points that follow expressions: those of brows, beards and lashes.
        roots: ``(Q, 3) int32`` vertices of the face that they follow.
        root_weights: ``(Q, 3) float32``.
        threads: how points make strands.
        rest: ``(N, 3) float32`` where each of the N = R + M + 2 P vertices is on the neutral head.
        colour, uv: ``(N, 3)``, ``(N, 2) float32``.
        triangles, material, label: of everything, head first.
        casting: ``(C, 3) int32`` triangles that stand for all of them in shadow maps: no lashes, fewer segments.
        visible: ``(N, D) uint8``: which directions each vertex sees.
        heights: ``(N,) float32`` of ``rest``, which tell what turns with the head.
        is_strand: ``(N,) bool``.
        glass: lenses.
        maps, eyes: of the skin, of the irises.
        motion: ``(V, 1) float32`` factor of the offsets of expressions; none if left out.
    """

    face: np.ndarray
    meshes: np.ndarray
    mesh_normals: np.ndarray
    points: np.ndarray
    moving: np.ndarray
    roots: np.ndarray
    root_weights: np.ndarray
    threads: Threads
    rest: np.ndarray
    heights: np.ndarray
    colour: np.ndarray
    uv: np.ndarray
    triangles: np.ndarray
    material: np.ndarray
    label: np.ndarray
    casting: np.ndarray
    visible: np.ndarray
    is_strand: np.ndarray
    glass: tuple[Glass, ...]
    maps: SkinMaps
    eyes: Eyes
    motion: np.ndarray | None = None


def dress(
    head: HeadModel,
    field: SkinField,
    stiff_field: SkinField,
    offsets: np.ndarray,
    outfit: Outfit,
    appearance: Appearance,
    share: float = 1.0,
    pixel: float = 0.0,
) -> Dressed:
    """Bind an outfit to a person.

    Args:
        head: the model.
        field: its skin's displacements in space, for hair.
        stiff_field: the same for meshes.
        offsets: ``(V, 3) float32`` of the identity.
        outfit: what is worn, made for the neutral head.
        appearance: colours of the head.
        share: of the hair's strands that are used, for small pictures; they are wider instead.
        pixel: size of a picture's pixels, cm; finer textures are not kept.
    """
    face = head.neutral + offsets
    lattice, stiff = field.of(offsets), stiff_field.of(offsets)
    tufts = [lashes(head, face)]
    tufts += [
        grown(thinned(strands, share), offsets, lattice, outfit.hat, appearance.strands.get(strands.label, NO_COLOUR))
        for strands in outfit.strands
    ]
    threads = Threads.of([tuft.width for tuft in tufts])
    counts = [len(tuft.points) for tuft in tufts]
    points = _stack([tuft.points for tuft in tufts])
    moving = [start + np.arange(len(tuft.roots)) for tuft, start in zip(tufts, np.cumsum([0, *counts]))]

    bound = [(mesh, bind_mesh(head, mesh, face, stiff)) for mesh in outfit.meshes]
    solid = [(mesh, vertices) for mesh, vertices in bound if mesh.lens is None]
    meshes = [mesh for mesh, _ in solid]
    starts = len(head.render_vertices) + np.cumsum([0, *(len(vertices) for _, vertices in solid)])
    first_ribbon = int(starts[-1])
    solid_triangles = np.concatenate(
        [head.render_triangles, *(mesh.triangles + np.int32(start) for mesh, start in zip(meshes, starts))]
    )
    mesh_normals = [vertex_normals(vertices, mesh.triangles) for mesh, vertices in solid]
    visible = _visible(head, face, [vertices for _, vertices in solid], mesh_normals, solid_triangles, tufts, points)

    def of_vertices(of_head: np.ndarray, of_meshes: list[np.ndarray], of_points: np.ndarray) -> np.ndarray:
        return _stack([of_head, *of_meshes, np.repeat(of_points, 2, axis=0)])

    rest = of_vertices(
        head.neutral[head.render_vertices], [mesh.vertices for mesh in meshes], _stack([tuft.rest for tuft in tufts])
    )
    material, label = _classes(head, appearance, meshes, tufts)
    return Dressed(
        face=face,
        meshes=_stack([vertices for _, vertices in solid]),
        mesh_normals=_stack(mesh_normals),
        points=points,
        moving=np.concatenate(moving).astype(np.int32),
        roots=np.concatenate([tuft.roots for tuft in tufts]),
        root_weights=np.concatenate([tuft.root_weights for tuft in tufts]),
        threads=threads,
        rest=rest,
        heights=rest[:, 1].copy(),
        colour=of_vertices(
            _head_colours(head, appearance), [mesh.colour for mesh in meshes], _stack([tuft.colour for tuft in tufts])
        ),
        uv=of_vertices(head.uv, [mesh.uv for mesh in meshes], np.zeros((len(points), 2))),
        triangles=np.concatenate([solid_triangles, threads.triangles + np.int32(first_ribbon)]),
        material=material,
        label=label,
        casting=np.concatenate([solid_triangles, threads.coarse[tufts[0].triangles :] + np.int32(first_ribbon)]),
        visible=np.concatenate([visible[:first_ribbon], np.repeat(visible[first_ribbon:], 2, axis=0)]),
        is_strand=np.arange(first_ribbon + 2 * len(points)) >= first_ribbon,
        glass=tuple(Glass.of(mesh, vertices) for mesh, vertices in bound if mesh.lens is not None),
        maps=appearance.maps.for_pixels(pixel),
        eyes=appearance.eyes,
    )


def _visible(
    head: HeadModel,
    face: np.ndarray,
    meshes: list[np.ndarray],
    mesh_normals: list[np.ndarray],
    triangles: np.ndarray,
    tufts: list[Tuft],
    points: np.ndarray,
) -> np.ndarray:
    """Which directions are seen from the head's vertices, the meshes' and the strands' points, ``(R + M + P, D)
    uint8``."""
    head_normals = vertex_normals(face, head.triangles)[head.render_vertices]
    first_point = len(head.render_vertices) + sum(map(len, meshes))
    between = np.concatenate([_between(*tuft.width.shape) for tuft in tufts])
    casts = np.repeat([tuft.label in CASTERS for tuft in tufts], [len(tuft.points) for tuft in tufts])
    visible = see_surroundings(
        points=_stack([face[head.render_vertices], *meshes, points]),
        normals=_stack([head_normals, *mesh_normals, np.zeros_like(points)]),
        strands=np.arange(first_point + len(points)) >= first_point,
        between=np.concatenate([np.zeros(first_point, bool), between]),
        triangles=triangles,
        splats=first_point + np.flatnonzero(casts),
    )
    visible[_vertices_of(head, MOUTH)] = np.where(directions()[:, 2] > OUT_OF_THE_MOUTH, 255, 0)
    return visible


def _classes(
    head: HeadModel, appearance: Appearance, meshes: list[Mesh], tufts: list[Tuft]
) -> tuple[np.ndarray, np.ndarray]:
    """:class:`Material` and :class:`Label` of all triangles, ``uint8``: the head's, the meshes', the ribbons'."""
    counts = [tuft.triangles for tuft in tufts]
    head_materials = np.where(appearance.scalp, np.uint8(Material.SCALP), head.materials)
    head_labels = np.where(appearance.scalp, np.uint8(Label.HAIR), head.labels)
    ribbon_materials = np.full(sum(counts), Material.HAIR, np.uint8)
    ribbon_labels = np.repeat([np.uint8(tuft.label) for tuft in tufts], counts)
    return (
        np.concatenate([head_materials, *(mesh.material for mesh in meshes), ribbon_materials]),
        np.concatenate([head_labels, *(mesh.label for mesh in meshes), ribbon_labels]),
    )


def _between(strands: int, points: int) -> np.ndarray:
    """``(S K,) bool``: every other point of long strands, never the first or the last."""
    along = np.arange(points)
    skipped = (along % COARSER != 0) & (along < points - 1) & (points >= LONG)
    return np.tile(skipped, strands)


def _stack(rows: list[np.ndarray]) -> np.ndarray:
    width = rows[0].shape[1] if rows else 3
    return np.concatenate([np.zeros((0, width), np.float32), *rows]).astype(np.float32, copy=False)


@lru_cache(maxsize=8)
def _vertices_of(head: HeadModel, regions: tuple[str, ...]) -> np.ndarray:
    return np.unique(head.render_triangles[head.in_region(*regions)])


def _head_colours(head: HeadModel, appearance: Appearance) -> np.ndarray:
    colours = np.array(appearance.skin, np.float32)
    colours[_vertices_of(head, MOUTH)] = GUM_COLOUR
    colours[_vertices_of(head, ("teeth",))] = TEETH_COLOUR
    colours[_vertices_of(head, SCLERAS)] = 1
    return colours
