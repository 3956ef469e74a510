"""Heads, meshes, rasterising and alignment, on values."""

import cv2
import numpy as np
import pytest

from durian.face import require_face
from durian.geometry.alignment import aligned_mask, item_mesh
from durian.geometry.head import Head
from durian.geometry.mesh import FACE_OVAL, HeadPose, WarpMesh, areas, face_triangles
from durian.geometry.mirror import facing_like, mirrored, yaw
from durian.geometry.raster import NOWHERE, Canvas, rasterize
from durian.request import Attribute, Placement


@pytest.fixture(scope="module")
def landmarks(collins):
    return require_face(collins).landmarks


def turned(landmarks, degrees):
    """The same head, turned to the picture's right about its own centre."""
    angle = np.deg2rad(degrees)
    rotation = np.array([[np.cos(angle), 0, -np.sin(angle)], [0, 1, 0], [np.sin(angle), 0, np.cos(angle)]])
    centre = Head(landmarks).centre
    return ((landmarks - centre) @ rotation.T + centre).astype(np.float32), rotation


def test_face_triangles_cover_each_pixel_of_the_face_once(landmarks):
    triangles = face_triangles()
    front = areas(landmarks, triangles) > 0
    assert front.mean() > 0.9  # the rest is the underside of the nose
    covered = np.zeros((512, 512), int)
    for triangle in triangles[front]:
        maps = [np.empty((512, 512), np.float32) for _ in range(3)]
        corners = landmarks[triangle].astype(np.float32)
        one = np.array([[0, 1, 2]], np.int32)
        rasterize(corners, corners[:, :2].copy(), one, np.ones(1, np.float32), *maps)
        covered += maps[0] != NOWHERE
    inside = covered[covered > 0]
    assert (inside > 2).mean() < 0.03


def test_every_edge_of_the_mesh_is_shared_in_opposite_directions():
    assert len(face_triangles()) == 852  # Euler, for 468 points with an outline, two eyes and a mouth
    edges = [(int(t[i]), int(t[(i + 1) % 3])) for t in face_triangles() for i in range(3)]
    assert len(edges) == len(set(edges))


def test_a_mesh_at_rest_maps_every_pixel_to_itself(landmarks):
    mesh = WarpMesh(landmarks, (512, 512))
    pose = HeadPose.between(landmarks, landmarks)
    moved = mesh.outer_positions(landmarks, pose)
    assert np.abs(moved[:, :2] - mesh.rest[:, :2]).max() < 1e-2
    canvas = Canvas(512, 512)
    still = np.zeros(len(mesh.outer_triangles), np.float32)
    points = np.ascontiguousarray(mesh.rest[:, :2])
    rasterize(moved, points, mesh.outer_triangles, still, canvas.map_x, canvas.map_y, canvas.depth)
    y, x = np.mgrid[:512, :512]
    assert np.abs(canvas.map_x - x).max() < 0.05
    assert np.abs(canvas.map_y - y).max() < 0.05


def test_the_outer_mesh_follows_the_face_at_its_edge_and_rests_far_below(landmarks):
    mesh = WarpMesh(landmarks, (512, 512))
    driving, _ = turned(landmarks, 12)
    driving[:, 1] -= 6
    moved = mesh.outer_positions(driving, HeadPose.between(landmarks, driving))
    assert np.allclose(moved[: len(FACE_OVAL)], driving[FACE_OVAL], atol=1e-4)
    bottom = mesh.rest[:, 1] > 450
    assert np.abs(moved[bottom, :2] - mesh.rest[bottom, :2]).max() < 1.0


def test_head_axes_follow_a_known_turn(landmarks):
    driving, rotation = turned(landmarks, 20)
    assert np.allclose(Head(driving).axes, rotation @ Head(landmarks).axes, atol=1e-3)


def test_depth_agrees_with_the_landmarks_and_falls_back_behind_the_face(landmarks):
    head = Head(landmarks)
    error = np.abs(head.depth(landmarks[:, :2]) - landmarks[:, 2])
    assert np.median(error) < 0.03 * head.width
    above = landmarks[10, :2] - [0, 0.5 * head.width]
    assert head.depth(above[None])[0] > landmarks[1, 2] + 0.3 * head.width


def test_a_round_thing_keeps_its_width_when_it_turns(landmarks):
    head = Head(landmarks)
    driving, _ = turned(landmarks, 30)
    pose = HeadPose.between(landmarks, driving)
    across = head.axes[:, 0] * head.radii[0]
    sides = np.stack([head.centre - across, head.centre + across])
    shell, rigid = pose.shell(sides, head.centre), pose(sides)
    assert np.ptp(shell[:, 0]) == pytest.approx(np.ptp(sides[:, 0]), rel=0.03)
    assert np.ptp(rigid[:, 0]) < 0.93 * np.ptp(sides[:, 0])


@pytest.mark.parametrize("degrees", [-20, 20])
def test_long_hair_hangs_straight_down_from_a_tilted_head(collins, landmarks, degrees):
    """Of a reference who stands upright; as far up as the eyes it follows the head."""
    mask = np.zeros(collins.shape[:2], np.uint8)
    width = Head(landmarks).width
    mask[int(landmarks[10, 1]) :, int(landmarks[234, 0] - 0.2 * width) : int(landmarks[234, 0])] = 255
    turn = cv2.getRotationMatrix2D(landmarks[168, :2].tolist(), degrees, 1.0)
    tilted = landmarks.copy()
    tilted[:, :2] = landmarks[:, :2] @ turn[:, :2].T + turn[:, 2]
    hair, hat = (item_mesh(Attribute(collins, mask, landmarks, name), tilted) for name in ("hair", "hat"))
    points = hair.texture_points
    below = (points[:, 1] - landmarks[2, 1]) / width
    column = points[:, 0] == np.median(points[:, 0])
    high, low = hair.rest[column & (below < -0.1), :2], hair.rest[column & (below > 0.75), :2]
    assert np.allclose(high, hat.rest[column & (below < -0.1), :2], atol=0.5)
    assert abs(np.diff(low[[0, -1], 0]).item()) < 0.1 * np.diff(low[[0, -1], 1]).item()


@pytest.mark.parametrize("name", ["hat", "glasses", "hair", "beard", "lips", "other"])
def test_an_item_from_the_portrait_itself_lands_where_it_was(collins, landmarks, name):
    mask = np.zeros((512, 512), np.uint8)
    x, y = landmarks[FACE_OVAL, :2].mean(0).astype(int)
    mask[y - 40 : y + 30, x - 30 : x + 35] = 255
    attribute = Attribute(collins, mask, landmarks, name)
    found = aligned_mask(attribute, item_mesh(attribute, landmarks), landmarks, 512)
    overlap = ((found > 127) & (mask > 127)).sum() / ((found > 127) | (mask > 127)).sum()
    assert overlap > 0.9


@pytest.mark.parametrize("with_face", [True, False])
def test_the_handles_move_an_item_by_outer_eye_distances(collins, landmarks, with_face):
    mask = np.zeros((512, 512), np.uint8)
    mask[60:110, 180:260] = 255
    unit = np.linalg.norm(landmarks[33, :2] - landmarks[263, :2])

    def centre(placement):
        attribute = Attribute(collins, mask, landmarks if with_face else None, "hat", placement=placement)
        found = aligned_mask(attribute, item_mesh(attribute, landmarks), landmarks, 512) > 127
        return np.array([np.mean(axis) for axis in np.nonzero(found)])[::-1], found.sum()

    at_rest, _ = centre(Placement())
    moved, _ = centre(Placement(dx=0.25, dy=0.5))
    assert np.allclose(moved - at_rest, [0.25 * unit, 0.5 * unit], atol=1.0)
    _, larger = centre(Placement(dy=0.6, scale=1.3))
    _, same = centre(Placement(dy=0.6))
    assert larger / same == pytest.approx(1.69, rel=0.08)


def test_a_mirrored_reference_is_the_face_found_in_the_mirror_image(collins, landmarks):
    mask = np.zeros((512, 512), np.uint8)
    mask[60:110, 180:260] = 255
    flipped = mirrored(Attribute(collins, mask, landmarks, "hair"))
    found = require_face(flipped.image).landmarks
    eyes = np.linalg.norm(found[33, :2] - found[263, :2])
    assert np.linalg.norm(found[:, :2] - flipped.landmarks[:, :2], axis=1).mean() < 0.03 * eyes
    assert np.array_equal(mirrored(flipped).mask, mask)


def test_only_symmetric_things_turned_the_other_way_are_mirrored(collins, landmarks):
    mask = np.zeros((512, 512), np.uint8)
    mask[60:110, 180:260] = 255
    left, right = turned(landmarks, -25)[0], turned(landmarks, 25)[0]
    assert abs(yaw(left) - yaw(right)) == pytest.approx(50, abs=3)
    hair, hat = (Attribute(collins, mask, left, name) for name in ("hair", "hat"))
    assert facing_like(hair, right) is not hair
    assert facing_like(hair, left) is hair
    assert facing_like(hat, right) is hat
