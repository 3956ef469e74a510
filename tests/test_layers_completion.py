"""Completion of hidden areas: known pixels stay, structure continues, smooth areas stay so, a face's halves match."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from faces_made import SIDE, SKIN, made_face, made_landmarks

from durian.geometry.head import Head
from durian.geometry.mesh import BROWS, CHIN, EYES, FACE_OVAL, IRISES
from durian.layers.completion import complete_background, complete_body, complete_hair, complete_skin, join
from durian.layers.completion.hair import strands
from durian.layers.completion.mirrored import FaceSurface
from durian.layers.completion.peeling import peeled
from durian.layers.completion.pores import pores
from durian.layers.fill import fill
from durian.layers.skin import polygon
from durian.motion.canonical import mirror

ROWS, COLUMNS = np.mgrid[:SIDE, :SIDE].astype(np.float32)
ROUND = np.hypot(COLUMNS - 120, ROWS - 130) < 55
"""A hole in the middle."""
CLOTH = (40, 60, 140)


def stripes(angle: float, period: float = 40.0) -> np.ndarray:
    """Stripes with soft edges, ``(S, S, 3) float32``; ``angle`` degrees of what runs across them."""
    along = COLUMNS * np.cos(np.radians(angle)) + ROWS * np.sin(np.radians(angle))
    wave = np.clip(3 * np.sin(2 * np.pi * along / period), -1, 1)
    return np.stack([128 + 70 * wave, 120 - 50 * wave, 100 + 20 * wave], -1).astype(np.float32)


def wiped(picture: np.ndarray, hole: np.ndarray) -> np.ndarray:
    picture = picture.astype(np.float32).copy()
    picture[hole] = (255, 0, 255)
    return picture


def noise(deviation: float, seed: int = 5) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, deviation, (SIDE, SIDE, 1)).astype(np.float32)


@pytest.fixture(scope="module")
def lit() -> tuple[np.ndarray, np.ndarray]:
    """A face under light from the left, with a dimple in either cheek, and its landmarks."""
    landmarks = made_landmarks()
    across = (COLUMNS - SIDE / 2) / SIDE
    picture = made_face(landmarks).astype(np.float32)
    for cheek in (50, 280):
        x, y = landmarks[cheek, :2]
        picture -= 22 * np.exp(-((COLUMNS - x) ** 2 + (ROWS - y) ** 2) / 24)[..., None]
    return (picture * (1 - 0.5 * across)[..., None]).astype(np.float32), landmarks


@pytest.mark.parametrize("angle", [25, 70, 135])
def test_stripes_go_on_straight_across_a_hole(angle: float):
    truth = stripes(angle)
    made = complete_background(wiped(truth, ROUND), (~ROUND).astype(np.float32))
    off = np.abs(made - truth)[ROUND]
    smooth = np.abs(fill(wiped(truth, ROUND), (~ROUND).astype(np.float32)) - truth)[ROUND]
    assert off.mean() < 4
    assert off.mean() < 0.1 * smooth.mean()


def test_a_wall_stays_flat_and_its_light_goes_on():
    flat = np.full((SIDE, SIDE, 3), (90, 140, 200), np.float32)
    known = (~ROUND).astype(np.float32)
    assert np.abs(complete_background(wiped(flat, ROUND), known) - flat).max() < 0.1
    slope = flat + (0.2 * COLUMNS - 0.1 * ROWS)[..., None]
    made = complete_background(wiped(slope, ROUND), known)
    assert np.abs(made - slope).max() < 4
    assert np.abs(np.diff(made, axis=1)).max() < 2, "no edge that was not there"


def test_what_is_made_up_meets_what_is_seen_without_an_edge():
    """A dark door that ends behind hair, and a bright wall made up beside it: no step, and the wall is itself farther
    in, with its grain."""
    door = np.full((SIDE, SIDE, 3), 60, np.float32)
    wall = np.full((SIDE, SIDE, 3), 160, np.float32) + noise(4)
    met = join(door, wall, ~ROUND)
    assert np.array_equal(met[~ROUND], door[~ROUND])
    depth = cv2.distanceTransform(ROUND.astype(np.uint8), cv2.DIST_L2, 5)
    means = [met[(depth > low) & (depth <= low + 4)].mean() for low in (0, 8, 16, 24, 40)]
    assert abs(means[0] - 60) < 8
    assert means == sorted(means)
    assert abs(means[-1] - 160) < 3
    assert 3 < met[depth > 45].std() < 5


def test_a_completion_that_meets_what_is_seen_already_stays():
    truth = stripes(25) + noise(4)
    assert np.abs(join(truth, truth, ~ROUND) - truth)[ROUND].mean() < 1.5
    nowhere, everywhere = np.zeros_like(ROUND), np.ones_like(ROUND)
    assert np.array_equal(join(truth, truth + 9, everywhere), truth)
    assert np.array_equal(join(truth, stripes(70), nowhere), stripes(70))


def test_a_walls_grain_goes_on():
    wall = np.full((SIDE, SIDE, 3), 120, np.float32) + noise(4)
    made = complete_background(wiped(wall, ROUND), (~ROUND).astype(np.float32))
    assert 2.5 < made[ROUND].std() < 5
    assert abs(made[ROUND].mean() - 120) < 1


def test_what_is_out_of_focus_stays_so():
    blurred = cv2.GaussianBlur(stripes(30) + noise(60), (0, 0), 6)
    made = complete_background(wiped(blurred, ROUND), (~ROUND).astype(np.float32))
    inside = cv2.erode(ROUND.astype(np.uint8), np.ones((9, 9))) > 0
    strength = np.abs(cv2.Laplacian(made, cv2.CV_32F))
    assert strength[inside].mean() < 2.5 * np.abs(cv2.Laplacian(blurred, cv2.CV_32F))[inside].mean()


def test_known_pixels_stay_bit_for_bit(lit):
    picture, landmarks = lit
    image = picture + noise(3)
    known = (~ROUND).astype(np.float32)
    body = (ROWS > 150).astype(np.float32)
    before = image.copy()
    made = {
        "background": complete_background(image, known),
        "skin": complete_skin(image, landmarks, known)[0],
        "body": complete_body(image, landmarks, known, body),
        "hair": complete_hair(image, (ROWS < 60).astype(np.float32), (ROWS < 100).astype(np.float32)),
    }
    kept = {"background": ~ROUND, "skin": ~ROUND, "body": ~ROUND | (body == 0), "hair": (ROWS < 60) | (ROWS >= 100)}
    for name, picture_made in made.items():
        assert picture_made.dtype == np.float32
        assert np.array_equal(picture_made[kept[name]], image[kept[name]]), name
        assert not np.array_equal(picture_made, image), name
    assert np.array_equal(image, before)


def test_a_seed_makes_the_same_again(lit):
    image, known = stripes(25) + noise(20), (~ROUND).astype(np.float32)
    first, again, other = (complete_background(image, known, seed) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    picture = lit[0] + noise(3)
    first, again, other = (complete_skin(picture, lit[1], known, seed=seed)[0] for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("left", [0, 3, 9])
def test_with_little_known_it_is_the_smooth_continuation(left: int):
    """So narrow a strip holds no patch, or only a few."""
    image, known = stripes(25), np.zeros((SIDE, SIDE), np.float32)
    known[:left, :left] = 1
    made = complete_background(image, known)
    assert np.array_equal(made, np.clip(fill(image, known), 0, 255))


def test_with_all_known_nothing_changes(lit):
    image, landmarks = lit
    everything, nothing = np.ones((SIDE, SIDE), np.float32), np.zeros((SIDE, SIDE), np.float32)
    assert np.array_equal(complete_background(image, everything), image)
    assert np.array_equal(complete_skin(image, landmarks, everything)[0], image)
    assert np.array_equal(complete_body(image, landmarks, everything, everything), image)
    assert np.array_equal(complete_hair(image, everything, everything), image)
    for made in (
        complete_skin(image, landmarks, nothing)[0],
        complete_body(image, landmarks, nothing, everything),
        complete_hair(image, nothing, everything),
    ):
        assert np.isfinite(made).all()


def test_each_landmark_finds_its_counterpart():
    landmarks = made_landmarks()
    surface = FaceSurface.of(landmarks, SIDE)
    for cheek in (50, 280, 205, 425):
        x, y = landmarks[cheek, :2].round().astype(int)
        counterpart = landmarks[mirror()[cheek], :2]
        assert (surface.map_x[y, x], surface.map_y[y, x]) == pytest.approx(counterpart, abs=1.5)
        assert surface.seen[y, x] > 0.9
    x, y = landmarks[1, :2].round().astype(int)
    assert surface.normals[y, x, 2] < -0.8, "the nose's tip looks at the camera"
    left, right = (surface.normals[(*landmarks[k, 1::-1].round().astype(int), 0)] for k in (50, 280))
    assert left < -0.1 < 0.1 < right


def test_a_surface_is_kept_by_landmarks_and_size():
    landmarks = made_landmarks()
    surface = FaceSurface.of(landmarks, SIDE)
    assert FaceSurface.of(landmarks.copy(), SIDE) is surface
    assert FaceSurface.of(landmarks, SIDE // 2).normals.shape == (SIDE // 2, SIDE // 2, 3)
    moved = FaceSurface.of(landmarks + np.float32([5, 0, 0]), SIDE)
    assert np.allclose(moved.normals[:, 5:], surface.normals[:, :-5], atol=0.05)


@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize("gaze", [-4.0, 0.0, 4.0])
def test_a_hidden_eye_comes_back_from_the_other_and_looks_where_that_does(side: int, gaze: float):
    landmarks = made_landmarks()
    picture = made_face(landmarks).astype(np.float32)
    for lids, iris in zip(EYES, IRISES, strict=True):
        landmarks[iris, 0] += gaze
        opening = polygon(landmarks[lids], (SIDE, SIDE))[..., None]
        disc = (np.hypot(COLUMNS - landmarks[iris[0], 0], ROWS - landmarks[iris[0], 1]) < 4)[..., None]
        picture += opening * (np.where(disc, 30.0, 235.0) - picture)
    hole = cv2.dilate(polygon(landmarks[EYES[side]], (SIDE, SIDE)), np.ones((11, 11))) > 0
    made, sure = complete_skin(wiped(picture, hole), landmarks, (~hole).astype(np.float32))
    inside = cv2.erode(polygon(landmarks[EYES[side]], (SIDE, SIDE)), np.ones((3, 3))) > 0.99
    is_iris = inside & (np.hypot(*(np.stack([COLUMNS, ROWS], -1) - landmarks[IRISES[side][0], :2]).T).T < 3)
    assert is_iris.sum() > 5
    assert made[is_iris].mean() < 70
    assert np.abs(made - picture)[inside].mean() < 25
    assert sure[is_iris].min() > 0.7


@pytest.mark.parametrize("side", [-1, 1])
def test_a_hidden_cheek_comes_back_from_the_other_in_its_own_light(lit, side: int):
    truth, landmarks = lit
    hole = (np.abs(side * (COLUMNS - SIDE / 2) - 34) < 24) & (np.abs(ROWS - 140) < 40)
    made, sure = complete_skin(wiped(truth, hole), landmarks, (~hole).astype(np.float32))
    cheek = 280 if side > 0 else 50
    x, y = landmarks[cheek, :2].round().astype(int)
    assert np.abs(made[y, x] - truth[y, x]).max() < 8, "the dimple"
    assert truth[y, x + 12, 0] - truth[y, x, 0] > 12
    flat = hole & (polygon(landmarks[FACE_OVAL], hole.shape) >= 1)
    for lids in EYES:  # which come from the other half as they are
        flat &= cv2.dilate(polygon(landmarks[lids], hole.shape), np.ones((15, 15))) == 0
    off = np.abs(made - truth)[flat]
    assert np.median(off) < 3
    assert sure[y, x] > 0.7
    assert (sure[~hole] == 1).all()


def test_a_fringe_or_a_frame_never_bleeds_into_skin():
    """Dark things that are known, on the face and beside it, next to what is completed."""
    landmarks = made_landmarks()
    picture = made_face(landmarks).astype(np.float32)
    brow = landmarks[BROWS[0]][:, :2].mean(0)
    fringe = landmarks[10, 1] + 14 > ROWS
    frame = (np.abs(ROWS - brow[1] - 30) < 2) & (np.abs(COLUMNS - brow[0]) < 40)
    picture[fringe | frame] = (20, 15, 10)
    hole = (landmarks[10, 1] + 14 <= ROWS) & (landmarks[10, 1] + 30 > ROWS)
    made, _ = complete_skin(wiped(picture, hole), landmarks, (~hole).astype(np.float32))
    inside = hole & (polygon(landmarks[FACE_OVAL], hole.shape) >= 1)
    assert np.abs(made[inside] - SKIN).max() < 6


def test_what_is_made_up_meets_skin_that_hair_shaded():
    """Skin that darkens by a sixth towards what hid the rest: no edge, and a forehead's own shade farther in."""
    landmarks = made_landmarks()
    picture = made_face(landmarks).astype(np.float32)
    edge = landmarks[10, 1] + 40
    picture *= 1 - 0.17 * np.exp(-(np.clip(ROWS - edge, 0, None) / 8))[..., None]
    hole = edge > ROWS
    made, _ = complete_skin(wiped(picture, hole), landmarks, (~hole).astype(np.float32))
    middle = slice(int(landmarks[10, 0]) - 30, int(landmarks[10, 0]) + 30)
    last = int(np.ceil(edge)) - 1
    step = made[last, middle].mean(0) - made[last + 1, middle].mean(0)
    assert np.abs(step).max() < 10
    farther = made[last - 25, middle].mean(0)
    assert np.abs(farther - SKIN).max() < 12


def test_pores_are_as_strong_and_as_coarse_as_those_seen():
    seen = cv2.GaussianBlur(noise(30), (0, 0), 1.5)[..., None] * np.ones(3, np.float32)
    made = pores(seen, COLUMNS < 128, 6.0, 0)
    assert made.mean() == pytest.approx(0, abs=0.2)

    def coarseness(values: np.ndarray) -> float:
        return float(np.abs(np.diff(values[..., 0], axis=1)).mean() / values[..., 0].std())

    assert made.std() == pytest.approx(seen.std(), rel=0.3)
    assert coarseness(made) == pytest.approx(coarseness(seen), rel=0.2)
    white = noise(1.0)
    assert coarseness(made) < 0.6 * coarseness(white)
    assert not pores(seen, np.zeros((SIDE, SIDE), bool), 6.0, 0).any()


def test_neck_and_shirt_go_on_apart():
    landmarks = 0.55 * made_landmarks() + np.float32([55, 5, 0])
    picture = made_face(landmarks).astype(np.float32)
    head, chin = Head(landmarks), landmarks[CHIN, :2]
    below = chin[1] + 4 < ROWS
    neck = np.abs(COLUMNS - chin[0]) < 0.27 * head.width
    collar = chin[1] + 0.3 * head.width
    picture[below] = CLOTH
    picture[below & neck & (collar > ROWS)] = SKIN
    hole = below & (np.abs(COLUMNS - chin[0] - 0.27 * head.width) < 14)
    made = complete_body(wiped(picture, hole), landmarks, (~hole).astype(np.float32), below.astype(np.float32))
    off = np.abs(made - picture).max(-1)
    assert (off[hole] > 40).mean() < 0.12, "but for where the edge is guessed"
    kinds = np.minimum(*(np.abs(made - kind).max(-1) for kind in (SKIN, CLOTH)))
    assert (kinds[hole] < 25).mean() > 0.9, "skin or cloth, and nothing between"


def test_a_shadow_under_the_chin_is_no_cloth():
    """The skin below a chin is dark, as its shadow is; under hair beside it a shirt goes on, not that shadow."""
    landmarks = 0.55 * made_landmarks() + np.float32([55, 5, 0])
    picture = made_face(landmarks).astype(np.float32)
    head, chin = Head(landmarks), landmarks[CHIN, :2]
    below = chin[1] + 4 < ROWS
    aside = np.abs(COLUMNS - chin[0])
    neck = below & (aside < 0.27 * head.width)
    picture[below] = CLOTH
    picture[neck] = SKIN
    picture[neck & (chin[1] + 12 > ROWS)] = (60, 30, 25)
    hole = below & (aside > 0.22 * head.width) & (aside < 0.6 * head.width)
    made = complete_body(wiped(picture, hole), landmarks, (~hole).astype(np.float32), below.astype(np.float32))
    shirt = hole & (chin[1] + 0.5 * head.width < ROWS) & (aside > 0.4 * head.width)
    assert shirt.sum() > 200
    assert (np.abs(made - CLOTH).max(-1)[shirt] < 25).mean() > 0.95


def test_what_is_held_in_front_of_clothes_is_not_copied():
    """Bare shoulders' colours aside, a red brush before a blue shirt: under hair beside both the shirt goes on."""
    landmarks = 0.55 * made_landmarks() + np.float32([55, 5, 0])
    picture = made_face(landmarks).astype(np.float32)
    head, chin = Head(landmarks), landmarks[CHIN, :2]
    below, brush = chin[1] + 4 < ROWS, (chin[0] + 20 < COLUMNS) & (chin[1] + 20 < ROWS)
    picture[below] = CLOTH
    picture[brush] = (200, 30, 40)
    parts = np.zeros((SIDE, SIDE, 4), np.float32)
    parts[..., 2], parts[..., 3] = below & ~brush, brush
    hole = below & (chin[0] < COLUMNS) & (chin[1] + 50 > ROWS) & (chin[0] + 0.9 * head.width > COLUMNS)
    known, body = (~hole).astype(np.float32), below.astype(np.float32)
    made = complete_body(wiped(picture, hole), landmarks, known, body, parts=parts)
    place = hole & (np.abs(COLUMNS - chin[0]) > 0.6 * head.width)
    assert place.sum() > 200
    assert (np.abs(made - CLOTH).max(-1)[place] < 25).mean() > 0.95


def test_a_hole_is_filled_from_its_edge_inwards_with_what_lies_along_it():
    """The smooth continuation of narrow stripes is grey; what is copied has the stripes all the way."""
    truth = stripes(90, 8)[:64, :64]
    hole = np.hypot(COLUMNS - 30, ROWS - 32)[:64, :64] < 12
    start = fill(wiped(truth, hole), (~hole).astype(np.float32))
    centres = cv2.erode((~hole).astype(np.uint8), np.ones((7, 7)), borderValue=0) > 0
    made, rows, columns = peeled(start, hole, ~hole, centres, 3, np.random.default_rng(0))
    assert np.abs(made - truth)[hole].mean() < 0.2 * np.abs(start - truth)[hole].mean()
    assert np.array_equal(made[~hole], start[~hole])
    assert centres[rows[hole], columns[hole]].all()
    assert (rows[~hole] == -1).all()


def test_hair_goes_on_along_its_strands():
    turned = np.where((COLUMNS < 128)[..., None], stripes(20, 12), stripes(110, 12))
    top = ROWS < 90
    made = complete_hair(wiped(turned, top), (~top).astype(np.float32), np.ones((SIDE, SIDE), np.float32))
    wanted, found = (strands(picture, np.ones((SIDE, SIDE), bool)) for picture in (turned, made))
    alike = (wanted * found).sum(-1) / (np.linalg.norm(wanted, axis=-1) * np.linalg.norm(found, axis=-1) + 1e-6)
    for half in (COLUMNS < 100, COLUMNS > 156):
        assert np.median(alike[half & top & (ROWS > 40)]) > 0.9
    assert made[top].std() > 0.7 * turned[top].std()


def test_brows_go_on_under_a_frame():
    """Both are crossed at one place, so that neither has it from the other."""
    landmarks = made_landmarks()
    picture = made_face(landmarks).astype(np.float32)
    brows = np.maximum(*(polygon(landmarks[brow], (SIDE, SIDE)) for brow in BROWS))
    picture += brows[..., None] * (np.float32((70, 50, 40)) - picture)
    middles = [landmarks[brow, 0].mean() for brow in BROWS]
    frame = np.minimum(*(np.abs(COLUMNS - middle) for middle in middles)) < 3
    made, _ = complete_skin(wiped(picture, frame), landmarks, (~frame).astype(np.float32))
    assert np.abs(made - picture)[frame & (brows >= 1)].max() < 40
    face = polygon(landmarks[FACE_OVAL], (SIDE, SIDE)) >= 1
    beside = frame & face & (cv2.dilate(brows, np.ones((21, 21))) <= 0)
    assert np.abs(made[beside] - SKIN).max() < 6
