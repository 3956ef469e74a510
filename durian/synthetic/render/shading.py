"""The deferred shader: light of each pixel from the triangles that its samples see.

Each surface that a pixel sees is shaded once, at the first sample that sees it. Skin is left in two parts, its colour
and the light it receives, because light travels in it before it comes out (:mod:`durian.synthetic.render.scatter`).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from durian.synthetic.base.compiled import compiled, in_shares, inlined
from durian.synthetic.base.geometry import Label, Material
from durian.synthetic.render.illumination import Lights, light_hair, light_skin, light_stuff
from durian.synthetic.render.raster import NOTHING, STEPS, pattern
from durian.synthetic.render.shading_cloth import Finish, Vector, finish_of
from durian.synthetic.render.shading_eyes import ROUGHNESS as EYE_ROUGHNESS
from durian.synthetic.render.shading_eyes import SPECULAR as EYE_SPECULAR
from durian.synthetic.render.shading_eyes import UNEVEN, cornea_slope, eye
from durian.synthetic.render.shading_light import unit3
from durian.synthetic.render.shading_skin import map_slope, oiliness, pores, skin_colour
from durian.synthetic.render.surface import Eyes, SkinMaps, Surface

LABELS, IRIS = len(Label), int(Label.IRIS)
SCALP_GLOSS = 0.15
"""Highlights of skin under hair, relative to bare skin's."""
SAME_SURFACE = 0.004
"""Samples that differ less in nearness, half a centimetre, may see the same surface."""
SAME_COLOUR = 0.01
"""Triangles of cloth whose green differs by less have one dye."""


class Shaded(NamedTuple):
    """A picture in parts, H x W pixels; shares of a pixel are in [0, 1].

    Attributes:
        light: ``(H, W, 3) float32`` radiance of everything but the light that leaves skin after scattering in it.
        skin: ``(H, W) float32`` share of skin.
        skin_colour: ``(H, W, 3) float32`` its colour times that share.
        skin_light: ``(H, W, 3) float32`` the light it receives times that share.
        skin_distance: ``(H, W) float32`` its distance from the camera, cm, times that share.
        empty: ``(H, W) float32`` share of the background.
        labels: ``(H, W, len(Label)) uint8`` samples of each class.
        beard: ``(H, W) float32`` share of the shadow of a shaved beard.
        distance: ``(H, W) float32`` cm to the camera at the pixel's middle sample, 0 for the background.
    """

    light: np.ndarray
    skin: np.ndarray
    skin_colour: np.ndarray
    skin_light: np.ndarray
    skin_distance: np.ndarray
    empty: np.ndarray
    labels: np.ndarray
    beard: np.ndarray
    distance: np.ndarray

    @classmethod
    def blank(cls, size: int) -> Shaded:
        """An empty square picture."""

        def plane(*depth: int) -> np.ndarray:
            return np.zeros((size, size, *depth), np.float32)

        labels = np.zeros((size, size, LABELS), np.uint8)
        return cls(plane(3), plane(), plane(3), plane(3), plane(), plane(), labels, plane(), plane())


def shade(
    index: np.ndarray,
    nearness: np.ndarray,
    surface: Surface,
    camera: np.ndarray,
    focal: float,
    lights: Lights,
    maps: SkinMaps,
    eyes: Eyes,
    picture: Shaded,
) -> None:
    """Fill a :class:`Shaded`.

    Args:
        index, nearness: of :func:`durian.synthetic.render.raster.rasterise`, ``(H, samples, W)``.
        surface: what is there.
        camera: ``(3,)`` where the viewer is.
        focal: pixels per cm at a distance of 1 cm.
        lights: what shines.
        maps: the skin's textures.
        eyes: the irises.
        picture: blank.
    """
    offsets = pattern(index.shape[1])
    in_shares(
        _shade_rows, len(picture.skin), index, nearness, offsets, surface, camera, focal, lights, maps, eyes, picture
    )


@compiled
def _shade_rows(
    first: int,
    last: int,
    index: np.ndarray,
    nearness: np.ndarray,
    offsets: np.ndarray,
    surface: Surface,
    camera: np.ndarray,
    focal: float,
    lights: Lights,
    maps: SkinMaps,
    eyes: Eyes,
    picture: Shaded,
) -> None:
    samples = len(offsets)
    for row, column in np.ndindex(last - first, picture.skin.shape[1]):
        row += first
        middle = nearness[row, samples // 2, column]
        if middle > 0:
            picture.distance[row, column] = 1 / middle
        done = 0  # a bit for each sample
        for sample in range(samples):
            if done >> sample & 1:
                continue
            triangle, near = index[row, sample, column], nearness[row, sample, column]
            hits = 1
            for other in range(sample + 1, samples):
                if not done >> other & 1 and (
                    index[row, other, column] == triangle
                    or _is_same(surface, triangle, near, index[row, other, column], nearness[row, other, column])
                ):
                    done |= 1 << other
                    hits += 1
            if triangle == NOTHING:
                picture.empty[row, column] += hits / samples
                picture.labels[row, column, Label.BACKGROUND] += np.uint8(hits)
            else:
                x, y = column + 0.5 + offsets[sample] / STEPS, row + (sample + 0.5) / samples
                _shade_triangle(
                    triangle,
                    x,
                    y,
                    hits,
                    hits / samples,
                    row,
                    column,
                    surface,
                    camera,
                    focal,
                    lights,
                    maps,
                    eyes,
                    picture,
                )


@inlined
def _is_same(surface: Surface, a: int, near_a: float, b: int, near_b: float) -> bool:
    """Whether two triangles belong to the same smooth surface. Every strand is a surface of its own, and so is every
    part of a printed pattern."""
    if a == NOTHING or b == NOTHING or abs(near_a - near_b) > SAME_SURFACE * near_a:
        return False
    material = surface.material[a]
    if material == Material.CLOTH or material == Material.KNIT:
        corner, other = surface.triangles[a, 0], surface.triangles[b, 0]
        if abs(surface.colour[corner, 1] - surface.colour[other, 1]) > SAME_COLOUR:
            return False
    return material != Material.HAIR and material == surface.material[b] and surface.label[a] == surface.label[b]


@inlined
def _mix(values: np.ndarray, a: int, b: int, c: int, u: float, v: float, w: float) -> Vector:
    return (
        u * values[a, 0] + v * values[b, 0] + w * values[c, 0],
        u * values[a, 1] + v * values[b, 1] + w * values[c, 1],
        u * values[a, 2] + v * values[b, 2] + w * values[c, 2],
    )


@inlined
def _shade_triangle(
    t: int,
    fx: float,
    fy: float,
    hits: int,
    share: float,
    row: int,
    column: int,
    surface: Surface,
    camera: np.ndarray,
    focal: float,
    lights: Lights,
    maps: SkinMaps,
    eyes: Eyes,
    picture: Shaded,
) -> None:
    """Add the light of a surface that ``hits`` samples see, at (fx, fy) in the triangle t, to its pixel."""
    a, b, c = surface.triangles[t, 0], surface.triangles[t, 1], surface.triangles[t, 2]
    u, v, w, near = _weights_within(surface, a, b, c, fx, fy)
    footprint = 1 / (focal * near)

    place = _mix(surface.position, a, b, c, u, v, w)
    rest = _mix(surface.rest, a, b, c, u, v, w)
    colour = _mix(surface.colour, a, b, c, u, v, w)
    ambient = _mix(surface.ambient, a, b, c, u, v, w)
    rim_seen = u * surface.ambient[a, 3] + v * surface.ambient[b, 3] + w * surface.ambient[c, 3]
    uv = (
        u * surface.uv[a, 0] + v * surface.uv[b, 0] + w * surface.uv[c, 0],
        u * surface.uv[a, 1] + v * surface.uv[b, 1] + w * surface.uv[c, 1],
    )
    normal = _mix(surface.normal, a, b, c, u, v, w)
    normal = unit3(normal[0], normal[1], normal[2])
    view = unit3(camera[0] - place[0], camera[1] - place[1], camera[2] - place[2])
    material, label = surface.material[t], int(surface.label[t])

    if material == Material.HAIR:
        r, g, b_ = light_hair(place, normal, view, colour, ambient, rim_seen, lights)
    elif material == Material.SKIN or material == Material.SCALP:
        cr, cg, cb, gloss, map_label, beard = skin_colour(maps, rest, uv, footprint)
        if map_label > 0 and label == Label.FACE:
            label = map_label
        fine = _with_relief(surface, a, b, c, normal, rest, uv, footprint, maps)
        shine = oiliness(rest, label, gloss) * (SCALP_GLOSS if material == Material.SCALP else 1.0)
        lit, light = light_skin(place, normal, fine, view, ambient, rim_seen, shine, label == Label.LIPS, lights)
        _add_skin(picture, row, column, share, near, beard, (colour[0] * cr, colour[1] * cg, colour[2] * cb), light)
        r, g, b_ = lit
    else:
        is_eye = material == Material.EYE
        if is_eye:
            finish, is_iris = _eye_finish(surface, a, b, c, colour, normal, rest, uv, footprint, eyes)
            if is_iris:
                label = IRIS
        else:
            if normal[0] * view[0] + normal[1] * view[1] + normal[2] * view[2] < 0:
                normal = (-normal[0], -normal[1], -normal[2])
            finish = finish_of(material, colour, normal, rest, uv, footprint)
        r, g, b_ = light_stuff(place, normal, view, finish, is_eye, ambient, rim_seen, footprint, lights)

    picture.labels[row, column, label] += np.uint8(hits)
    picture.light[row, column, 0] += share * r
    picture.light[row, column, 1] += share * g
    picture.light[row, column, 2] += share * b_


@inlined
def _weights_within(
    surface: Surface, a: int, b: int, c: int, fx: float, fy: float
) -> tuple[float, float, float, float]:
    """Shares of the corners a, b and c in the place on their triangle that is seen at (fx, fy), and its nearness."""
    ax, bx, cx = surface.seen[0, a], surface.seen[0, b], surface.seen[0, c]
    ay, by, cy = surface.seen[1, a], surface.seen[1, b], surface.seen[1, c]
    area = (bx - ax) * (cy - ay) - (cx - ax) * (by - ay)
    u = min(1.0, max(0.0, ((bx - fx) * (cy - fy) - (cx - fx) * (by - fy)) / area))
    v = min(1.0 - u, max(0.0, ((cx - fx) * (ay - fy) - (ax - fx) * (cy - fy)) / area))
    u, v, w = u * surface.seen[2, a], v * surface.seen[2, b], (1 - u - v) * surface.seen[2, c]
    near = u + v + w
    return u / near, v / near, w / near, near


@inlined
def _with_relief(
    surface: Surface,
    a: int,
    b: int,
    c: int,
    normal: Vector,
    rest: Vector,
    uv: tuple[float, float],
    footprint: float,
    maps: SkinMaps,
) -> Vector:
    """The normal of skin with the relief of its maps and its pores."""
    slope_u, slope_v = map_slope(maps, uv)
    if slope_u != 0 or slope_v != 0:
        normal = _bumped(surface, a, b, c, normal, slope_u, slope_v)
    return pores(normal, rest, footprint)


@inlined
def _add_skin(
    picture: Shaded, row: int, column: int, share: float, near: float, beard: float, colour: Vector, light: Vector
) -> None:
    """Add what scattering needs of skin that covers a ``share`` of a pixel."""
    picture.skin[row, column] += share
    picture.skin_distance[row, column] += share / near
    picture.beard[row, column] += share * beard
    for channel in range(3):
        picture.skin_colour[row, column, channel] += share * max(0.0, colour[channel])
        picture.skin_light[row, column, channel] += share * light[channel]


@inlined
def _eye_finish(
    surface: Surface,
    a: int,
    b: int,
    c: int,
    colour: Vector,
    normal: Vector,
    rest: Vector,
    uv: tuple[float, float],
    footprint: float,
    eyes: Eyes,
) -> tuple[Finish, bool]:
    """The finish of an eyeball under its cornea, and whether it is the iris."""
    r, g, b_, is_iris = eye(eyes, rest, uv, colour, footprint)
    slope_u, slope_v = cornea_slope(eyes, uv)
    wet = _bumped(surface, a, b, c, normal, slope_u, slope_v)
    mirror = EYE_SPECULAR * colour[1] * (1.0 if is_iris else UNEVEN)
    return (r, g, b_, wet[0], wet[1], wet[2], mirror, EYE_ROUGHNESS, 0.0), is_iris


@inlined
def _bumped(surface: Surface, a: int, b: int, c: int, normal: Vector, slope_u: float, slope_v: float) -> Vector:
    """The normal of a surface that a height map displaces (Mikkelsen, "Bump mapping unparametrized surfaces on the
    GPU", 2010)."""
    P, uv = surface.position, surface.uv
    px, py, pz = P[b, 0] - P[a, 0], P[b, 1] - P[a, 1], P[b, 2] - P[a, 2]
    qx, qy, qz = P[c, 0] - P[a, 0], P[c, 1] - P[a, 1], P[c, 2] - P[a, 2]
    pu, pv, qu, qv = uv[b, 0] - uv[a, 0], uv[b, 1] - uv[a, 1], uv[c, 0] - uv[a, 0], uv[c, 1] - uv[a, 1]
    det = pu * qv - qu * pv
    if abs(det) < 1e-12:
        return normal
    ux, uy, uz = (px * qv - qx * pv) / det, (py * qv - qy * pv) / det, (pz * qv - qz * pv) / det
    vx, vy, vz = (qx * pu - px * qu) / det, (qy * pu - py * qu) / det, (qz * pu - pz * qu) / det
    nx, ny, nz = normal
    rx, ry, rz = vy * nz - vz * ny, vz * nx - vx * nz, vx * ny - vy * nx
    sx, sy, sz = ny * uz - nz * uy, nz * ux - nx * uz, nx * uy - ny * ux
    volume = ux * rx + uy * ry + uz * rz
    if abs(volume) < 1e-9:
        return normal
    along_u, along_v = slope_u / volume, slope_v / volume
    return unit3(nx - along_u * rx - along_v * sx, ny - along_u * ry - along_v * sy, nz - along_u * rz - along_v * sz)
