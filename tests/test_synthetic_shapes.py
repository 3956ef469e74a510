"""Generic meshes: closed ones are watertight and face outwards, sizes are as requested."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from durian.synthetic.base.geometry import Label, Lens, Material, Mesh
from durian.synthetic.base.shapes import grid, grid_triangles, merged, mesh, sphere, tube, vertex_normals

WOOL = {"material": Material.KNIT, "label": Label.HAT, "colour": (0.1, 0.2, 0.3)}


def area(shape: Mesh) -> float:
    a, b, c = np.moveaxis(shape.vertices[shape.triangles].astype(float), 1, 0)
    return float(np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2)


def volume(shape: Mesh) -> float:
    """Positive where triangles run counter-clockwise seen from outside."""
    a, b, c = np.moveaxis(shape.vertices[shape.triangles].astype(float), 1, 0)
    return float((np.cross(a, b) * c).sum() / 6)


def is_watertight(shape: Mesh) -> bool:
    edges = Counter(map(tuple, shape.triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2).tolist()))
    return set(edges.values()) == {1} and all((b, a) in edges for a, b in edges)


def circle(radius: float = 3.0, points: int = 64) -> np.ndarray:
    angle = np.linspace(0, 2 * np.pi, points, endpoint=False)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle), np.zeros(points)], axis=1)


LINE = np.stack([np.linspace(0, 5, 11), np.zeros(11), np.full(11, 2.0)], axis=1)
RNG = np.random.default_rng(3)
WALK = np.cumsum(RNG.normal(size=(12, 3)) * (0.3, 0.3, 0.1) + (1.0, 0.2, 0), axis=0)


@pytest.mark.parametrize(
    "shape",
    [
        tube(LINE, 0.2, **WOOL),
        tube(LINE[::-1], np.linspace(0.1, 0.4, 11), sides=5, **WOOL),
        tube(WALK, 0.2, height=0.3, **WOOL),
        tube(circle(), 0.3, closed=True, **WOOL),
        tube(circle()[::-1], 0.3, height=0.1, up=(0, 0, -1), closed=True, **WOOL),
        tube(LINE[:2], 0.3, up=(0, 0, 1), **WOOL),
        sphere((1, 2, 3), 2.0, **WOOL),
        sphere((1, 2, 3), (2.0, 0.5, 1.0), rings=1, **WOOL),
        grid(
            circle(3)[:, None] + circle(1, 8)[None, :, [0, 2, 1]] * (0, 0, 1), wrap_rows=True, wrap_columns=True, **WOOL
        ),
    ],
)
def test_closed_shapes_are_watertight(shape):
    assert is_watertight(shape)
    assert set(shape.triangles.ravel().tolist()) == set(range(len(shape.vertices)))


@pytest.mark.parametrize("path", [LINE, LINE[::-1], LINE[:, [1, 0, 2]], LINE[:, [1, 2, 0]], WALK])
@pytest.mark.parametrize("up", [None, (0.3, 0.5, 0.7)])
def test_tubes_face_outwards(path, up):
    shape = tube(path, 0.1, height=0.15, up=up, **WOOL)
    middle = np.repeat(path, 8, axis=0)
    outwards = shape.vertices[: len(middle)] - middle
    assert ((vertex_normals(shape.vertices, shape.triangles)[: len(middle)] * outwards).sum(axis=1) > 0).all()
    assert volume(shape) > 0


def test_a_straight_tube_is_a_prism_of_the_asked_size():
    shape = tube(LINE, 0.3, height=0.2, up=(0, 0, 1), sides=64, **WOOL)
    assert np.ptp(shape.vertices, axis=0) == pytest.approx([5, 0.6, 0.4], rel=1e-5)
    assert volume(shape) == pytest.approx(np.pi * 0.3 * 0.2 * 5, rel=0.01)
    round_one = tube(LINE, 0.3, sides=64, **WOOL)
    assert area(round_one) == pytest.approx(2 * np.pi * 0.3 * 5 + 2 * np.pi * 0.3**2, rel=0.01)


def test_a_closed_tube_is_a_torus():
    shape = tube(circle(3.0), 0.5, sides=32, closed=True, **WOOL)
    assert len(shape.vertices) == 64 * 32
    assert area(shape) == pytest.approx(4 * np.pi**2 * 3 * 0.5, rel=0.01)
    assert volume(shape) == pytest.approx(2 * np.pi**2 * 3 * 0.5**2, rel=0.01)


def test_radii_follow_the_path():
    radius = np.linspace(0.1, 0.6, 11)
    shape = tube(LINE, radius, sides=7, **WOOL)
    distance = np.linalg.norm(shape.vertices[:77] - np.repeat(LINE, 7, axis=0), axis=1)
    np.testing.assert_allclose(distance.reshape(11, 7), np.repeat(radius[:, None], 7, axis=1), rtol=1e-5)


@pytest.mark.parametrize(
    ("path", "options", "says"),
    [
        (LINE[:1], {}, "two points"),
        (circle()[:2], {"closed": True}, "three"),
        (LINE, {"up": (1, 0, 0)}, "runs along its up"),
        (LINE * 0, {}, "stands still"),
        (circle(), {"closed": True, "up": (0, 1, 0)}, "runs along its up"),
    ],
)
def test_tubes_without_a_cross_section_are_refused(path, options, says):
    with pytest.raises(ValueError, match=says):
        tube(path, 0.1, **options, **WOOL)


def test_a_sphere_has_its_radius_area_and_volume():
    shape = sphere((1, -2, 3), 2.5, rings=24, **WOOL)
    distance = np.linalg.norm(shape.vertices - (1, -2, 3), axis=1)
    np.testing.assert_allclose(distance, 2.5, rtol=1e-5)
    assert area(shape) == pytest.approx(4 * np.pi * 2.5**2, rel=0.01)
    assert volume(shape) == pytest.approx(4 / 3 * np.pi * 2.5**3, rel=0.015)
    assert np.abs(np.linalg.norm(vertex_normals(shape.vertices, shape.triangles), axis=1) - 1).max() < 1e-5
    outwards = (vertex_normals(shape.vertices, shape.triangles) * (shape.vertices - (1, -2, 3))).sum(axis=1) / 2.5
    assert outwards.min() > 0.99


def test_an_ellipsoid_has_three_radii():
    shape = sphere((0, 0, 0), (1.0, 2.0, 3.0), rings=31, **WOOL)
    np.testing.assert_allclose(np.ptp(shape.vertices, axis=0), [2, 4, 6], rtol=1e-5)
    np.testing.assert_allclose(np.square(shape.vertices / (1, 2, 3)).sum(axis=1), 1, rtol=1e-5)


def test_grid_triangles_are_those_of_the_plain_loop():
    for rows, columns, wrap_rows, wrap_columns in ((3, 4, False, False), (3, 4, True, False), (4, 3, True, True)):
        expected = []
        for r in range(rows if wrap_rows else rows - 1):
            for c in range(columns if wrap_columns else columns - 1):
                a, b = r * columns + c, (r + 1) % rows * columns + c
                d, e = (r + 1) % rows * columns + (c + 1) % columns, r * columns + (c + 1) % columns
                expected += [(a, b, d), (a, d, e)]
        found = grid_triangles(rows, columns, wrap_rows, wrap_columns)
        assert found.dtype == np.int32
        assert found.tolist() == [list(triangle) for triangle in expected]


def test_a_sheet_keeps_values_given_on_the_grid():
    # Rows run to the right and columns upwards: the front looks out of the face, along z.
    x, y = np.meshgrid(np.arange(3.0), np.arange(5.0), indexing="ij")
    points = np.stack([x, y, 0 * x], axis=-1)
    shape = grid(points, uv=points[..., :2] / 4, **WOOL)
    assert area(shape) == pytest.approx(8)
    np.testing.assert_allclose(vertex_normals(shape.vertices, shape.triangles), np.tile([0, 0, 1], (15, 1)))
    np.testing.assert_allclose(shape.uv, points.reshape(-1, 3)[:, :2] / 4)


def test_a_mesh_has_the_types_of_its_fields():
    shape = mesh([[0, 0, 0], [1, 0, 0], [0, 1, 0]], [[0, 1, 2]], **WOOL)
    assert shape.vertices.dtype == shape.colour.dtype == shape.uv.dtype == np.float32
    assert shape.triangles.dtype == np.int32
    assert shape.material.tolist() == [Material.KNIT]
    assert shape.label.dtype == shape.material.dtype == np.uint8
    np.testing.assert_allclose(shape.colour, np.tile(WOOL["colour"], (3, 1)), rtol=1e-6)
    shape.colour[0] = 0  # every vertex has a colour of its own
    assert shape.colour[1].any()


def test_merging_keeps_every_part():
    steel = WOOL | {"material": Material.METAL, "colour": (0.9, 0.9, 0.9)}
    first, second = sphere((0, 0, 0), 1.0, **WOOL), tube(LINE, 0.2, uv=None, **steel)
    both = merged([first, second])
    assert area(both) == pytest.approx(area(first) + area(second))
    cut, corners = len(first.triangles), len(first.vertices)
    np.testing.assert_array_equal(both.vertices[both.triangles[cut:]], second.vertices[second.triangles])
    np.testing.assert_array_equal(both.material, [Material.KNIT] * cut + [Material.METAL] * len(second.triangles))
    np.testing.assert_array_equal(both.colour[corners:], second.colour)
    assert is_watertight(both)


def test_only_like_meshes_are_merged():
    plain, glass = sphere((0, 0, 0), 1, **WOOL), sphere((0, 0, 0), 1, lens=Lens(np.ones(3), 0.5), **WOOL)
    for others in ([plain, glass], [plain, sphere((0, 0, 0), 1, binding="glasses", **WOOL)]):
        with pytest.raises(ValueError, match="cannot be merged"):
            merged(others)
    with pytest.raises(ValueError, match="no meshes"):
        merged([])


def test_vertex_normals_are_the_plain_sum():
    rng = np.random.default_rng(0)
    vertices, triangles = rng.normal(size=(50, 3)), rng.integers(0, 40, size=(90, 3))
    expected = np.zeros((50, 3))
    for a, b, c in triangles:
        for corner in (a, b, c):
            expected[corner] += np.cross(vertices[b] - vertices[a], vertices[c] - vertices[a])
    length = np.linalg.norm(expected, axis=1, keepdims=True)
    expected = np.divide(expected, length, out=np.zeros_like(expected), where=length > 0)
    normals = vertex_normals(vertices, triangles)
    assert normals.dtype == np.float32
    np.testing.assert_allclose(normals, expected, atol=1e-4)
    assert not normals[40:].any()
