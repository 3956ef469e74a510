"""Parts of preparing clips: cuts, squares that hold a face, unfit frames, black bars, worn items."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from preparation_made import COLLINS, HOPPER, close_up, moving

from durian.errors import InvalidRequest
from durian.face import Crop, detect_faces
from durian.masks import png_bytes
from durian.media.shots import find_shots
from durian.motion.rotations import euler
from durian.training.preparation import wearing
from durian.training.preparation.bars import Bars
from durian.training.preparation.framing import Span, hold, plan_clips
from durian.training.preparation.quality import (
    LEAST_FRAMES,
    Reason,
    blur,
    clip_fault,
    facing_angle,
    frame_fault,
    is_person,
)
from durian.training.preparation.record import LeftOut, Made, Record, read_record, summary, write_record
from durian.training.preparation.settings import Preparation

SHAPE = (400, 600, 3)


@pytest.fixture(scope="module")
def face(collins) -> np.ndarray:
    """Landmarks of a face 170 px tall in the middle of a picture of :data:`SHAPE`."""
    landmarks = detect_faces(collins)[0].landmarks.astype(np.float64)
    size = np.ptp(landmarks[:, :2], axis=0).max()
    landmarks *= 100 / size
    landmarks[:, :2] += (300, 200) - landmarks[:, :2].mean(0)
    return landmarks.astype(np.float32)


def shifted(face: np.ndarray, x: float = 0, y: float = 0) -> np.ndarray:
    return face + np.array([x, y, 0], np.float32)


def turned(face: np.ndarray, degrees: float) -> np.ndarray:
    centre = face.mean(0)
    return ((face - centre) @ euler(degrees, 0, 0).T + centre).astype(np.float32)


# Cuts


def test_a_cut_between_two_people_is_found_at_its_frame(collins, hopper):
    frames = [*moving(close_up(collins, COLLINS), 9), *moving(close_up(hopper, HOPPER), 7)]
    assert find_shots(frames) == [range(9), range(9, 16)]


def test_two_cuts_close_together_are_both_found(collins, hopper):
    first, second = close_up(collins, COLLINS), close_up(hopper, HOPPER)
    frames = [*moving(first, 8), *moving(second, 2), *moving(first, 8)]
    assert find_shots(frames) == [range(8), range(8, 10), range(10, 18)]


def test_fast_movement_light_and_noise_are_no_cuts(collins):
    rng = np.random.default_rng(0)
    picture = close_up(collins, COLLINS).astype(np.float32)
    frames = []
    for number, frame in enumerate(moving(picture, 20, speed=9.0)):
        lit = frame * (0.8 + 0.02 * number) + rng.normal(0, 6, frame.shape)
        frames.append(np.clip(lit, 0, 255).astype(np.uint8))
    assert find_shots(frames) == [range(20)]


@pytest.mark.parametrize("count", [0, 1, 2])
def test_hardly_any_frames(count):
    assert find_shots([np.zeros((20, 30, 3), np.uint8)] * count) == ([range(count)] if count else [])


# Squares


def test_every_frame_of_a_shot_is_in_one_span(face):
    tracked = [shifted(face, number) for number in range(60)]
    tracked[20:23] = [None] * 3
    tracked[40] = turned(face, 75)
    spans = plan_clips(range(100, 160), tracked, SHAPE, 128, most_frames=30)
    used = [(span.first, span.stop, span.use if isinstance(span.use, Reason) else "clip") for span in spans]
    assert used == [
        (100, 120, "clip"),
        (120, 123, Reason.LOST),
        (123, 140, "clip"),
        (140, 141, Reason.TURNED),
        (141, 160, "clip"),
    ]


def test_long_shots_become_equal_pieces_and_short_ones_are_left_out(face):
    still = [face] * 100
    spans = plan_clips(range(100), still, SHAPE, 128, most_frames=40)
    assert [span.stop - span.first for span in spans] == [33, 33, 34]
    short = plan_clips(range(LEAST_FRAMES - 1), still[: LEAST_FRAMES - 1], SHAPE, 128, 40)
    assert short == [Span(0, LEAST_FRAMES - 1, Reason.SHORT)]


def test_a_face_that_jumps_ends_a_clip(face):
    tracked = [face] * 20 + [shifted(face, 90)] * 20
    spans = plan_clips(range(40), tracked, SHAPE, 128, 100)
    assert [(span.first, span.stop) for span in spans] == [(0, 20), (20, 40)]
    assert spans[1].use.x == pytest.approx(spans[0].use.x + 90, abs=1)


def test_a_face_that_wanders_far_makes_shorter_clips_each_of_which_holds_it(face):
    tracked = [shifted(face, x) for x in np.linspace(-200, 200, 80)]
    spans = plan_clips(range(80), tracked, SHAPE, 128, 100)
    assert len(spans) > 1
    assert [spans[0].first, *(span.stop for span in spans)] == [0, *(span.first for span in spans[1:]), 80]
    for span in spans:
        inside = span.use.points(np.array(tracked[span.first : span.stop]), 128)[..., :2]
        assert inside.min() > 4
        assert inside.max() < 123


def test_a_piece_at_the_edge_of_its_shots_square_is_shown_in_that_square(face):
    # The second half stands near the corner of a narrow video: its own square has no room there, the shot's has.
    moved = np.clip((np.arange(60) - 25) / 12, 0, 1)[:, None] * (3.2, -66.8) + (65.7, 231)
    tracked = [shifted(face, x - 300, y - 200) for x, y in moved]
    shape = (325, 229, 3)
    spans = plan_clips(range(60), tracked, shape, 128, most_frames=30)
    assert [(span.first, span.stop) for span in spans] == [(0, 30), (30, 60)]
    assert hold(np.array(tracked[30:]), shape) is None
    assert spans[1].use == hold(np.array(tracked), shape)


def test_a_small_movement_keeps_the_framing_of_a_photo(face):
    crop = hold(np.array([shifted(face, x) for x in (-4, 0, 4)]), SHAPE)
    still = hold(face[None], SHAPE)
    assert (crop.x, crop.y, crop.side) == pytest.approx((still.x, still.y, still.side), abs=0.01)


def test_a_picture_hardly_larger_than_the_face_holds_it(face):
    shape = (150, 150, 3)
    tracked = [shifted(face, -225 + x, -125) for x in (-2, 0, 2)]
    assert hold(np.array(tracked), shape).side == 150


# Faults


def test_faults_of_frames(face):
    assert frame_fault(face, SHAPE, 256) is None
    assert frame_fault(None, SHAPE, 256) is Reason.LOST
    assert frame_fault(shifted(face, 280), SHAPE, 256) is Reason.CUT_OFF
    assert frame_fault(shifted(face, -240, -140), (120, 105, 3), 64) is Reason.CUT_OFF
    assert frame_fault(turned(face, -70), SHAPE, 256) is Reason.TURNED
    assert frame_fault(face, SHAPE, 512) is Reason.SMALL
    assert frame_fault(face * 0.2, SHAPE, 64) is Reason.SMALL


@pytest.mark.parametrize("degrees", [0, 30, 60])
def test_turns_are_measured(face, degrees):
    straight = facing_angle(face)
    found = np.degrees([facing_angle(turned(face, sign * degrees)) for sign in (-1, 1)])
    assert found.mean() == pytest.approx(max(degrees, np.degrees(straight)), abs=2.5)


@pytest.fixture(scope="module")
def portrait(collins) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Moving pictures and their landmarks."""
    pictures = list(moving(close_up(collins, COLLINS, 400), 14))
    landmarks = detect_faces(pictures[0])[0].landmarks
    return pictures, [shifted(landmarks, number, 2 * np.sin(number)) for number in range(14)]


def test_faults_of_clips(portrait):
    pictures, landmarks = portrait

    def fault(change) -> Reason | None:
        return clip_fault([change(number, picture) for number, picture in enumerate(pictures)], landmarks, 256)

    assert fault(lambda number, picture: picture) is None
    assert fault(lambda number, picture: (picture * 0.2).astype(np.uint8)) is Reason.DARK
    assert fault(lambda number, picture: cv2.GaussianBlur(picture, (0, 0), 6)) is Reason.BLURRED
    assert fault(lambda number, picture: pictures[0]) is Reason.FROZEN
    # Twice as many frames a second as the film had are no still picture.
    assert fault(lambda number, picture: pictures[number - number % 2]) is None


def test_dark_skin_in_a_lit_picture_is_not_too_dark(portrait):
    darkened = []
    for picture, points in zip(*portrait, strict=True):
        x0, y0 = points[:, :2].min(0).astype(int)
        x1, y1 = points[:, :2].max(0).astype(int)
        dark = picture.copy()
        dark[y0:y1, x0:x1] = dark[y0:y1, x0:x1] // 3
        darkened.append(dark)
    assert clip_fault(darkened, portrait[1], 256) is None


def test_blur_grows_with_blur(portrait):
    picture, points = portrait[0][0], portrait[1][0]
    blurs = [blur(cv2.GaussianBlur(picture, (0, 0), sigma), points, 128) for sigma in (0.3, 2, 4, 8)]
    assert blurs == sorted(blurs)
    assert blurs[-1] - blurs[0] > 0.2


def test_what_was_followed_must_be_a_person(portrait):
    picture, points = portrait[0][0], portrait[1][0]
    assert is_person(picture, points)
    assert not is_person(picture, shifted(points, 150))
    drawing = cv2.medianBlur((picture // 64) * 64 + 20, 21)
    assert not is_person(drawing, points)


# Bars


def lit(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(40, 200, (height, width, 3), dtype=np.uint8)


def test_bars_on_any_side_are_left_out():
    frame = np.zeros((100, 160, 3), np.uint8)
    frame[12:90, 30:] = lit(78, 130)
    bars = Bars()
    assert sum(1 for _ in bars.watch([frame] * 3)) == 3
    assert bars.area() == (slice(14, 88), slice(32, 160))


def test_a_night_scene_that_lights_up_once_has_no_bars():
    dark, bright = np.zeros((100, 160, 3), np.uint8), lit(100, 160)
    dark[40:50, 70:90] = 200
    for frames in ([dark, dark], [dark, bright, dark]):
        bars = Bars()
        list(bars.watch(frames))
        assert bars.area() == (slice(0, 100), slice(0, 160))


# What is worn


@pytest.mark.slow
def test_most_frames_decide_for_all(collins, hopper):
    """Grace Hopper wears a cap in five of seven frames; in the other two another head is in its place."""
    capped, bare = (close_up(photo, place, 256) for photo, place in ((hopper, HOPPER), (collins, COLLINS)))
    points = {id(picture): detect_faces(picture)[0].landmarks for picture in (capped, bare)}
    pictures = [capped, bare, capped, capped, bare, capped, capped]
    masks = wearing.parsed_masks(pictures, [points[id(p)] for p in pictures], ("hair", "hat"), 128)
    assert set(masks) == {"hair", "hat"}
    areas = [float((mask > 127).mean()) for mask in masks["hat"]]
    assert len(areas) == len(pictures)
    assert areas[0] > 0.08
    assert areas[0] == areas[6] > 1.8 * areas[1]
    assert masks["hat"][0].shape == (128, 128)
    mostly_bare = [bare, bare, capped, bare, bare, capped, bare]
    assert set(wearing.parsed_masks(mostly_bare, [points[id(p)] for p in mostly_bare], ("hat",), 128)) == set()


def test_items_are_seen_in_every_frame_and_large_enough(face):
    landmarks = [face] * 3
    whole, empty, speck = np.zeros((3, 400, 600), np.uint8)
    whole[:200] = 255
    speck[:3, :3] = 255
    masks = {"hair": [whole] * 3, "hat": [whole, empty, whole], "glasses": [speck] * 3}
    assert wearing.steady_items(masks, landmarks) == ("hair",)


def test_masks_of_files_are_cut_as_the_frames_are(tmp_path):
    mask = np.zeros((100, 160), np.uint8)
    mask[40:60, 50:70] = 255
    (tmp_path / "hat").mkdir()
    (tmp_path / "hat" / "00006.png").write_bytes(png_bytes(mask))
    area, crop = (slice(10, 90), slice(20, 160)), Crop(39.5, 39.5, 80)
    masks = wearing.read_masks(tmp_path, [4, 6], crop, mask.shape, area, ("hair", "hat"), 40)
    assert set(masks) == {"hat"}
    assert masks["hat"][0].max() == 0
    expected = np.zeros((40, 40), np.uint8)
    expected[15:25, 15:25] = 255
    np.testing.assert_array_equal(masks["hat"][1] > 127, expected > 127)
    with pytest.raises(InvalidRequest, match=r"mask is 160×100 pixels but its picture is"):
        wearing.read_masks(tmp_path, [6], crop, (50, 160), area, ("hat",), 40)


# Records


def test_records_are_read_back_only_with_their_clips(tmp_path):
    record = Record("a.mp4", (Made("a-000.clip", 20, 2.0, ("hair",)),), (LeftOut(Reason.LOST, 20, 5),))
    path = tmp_path / "a.mp4.record.json"
    assert read_record(path) is None
    write_record(record, path)
    assert read_record(path) is None
    (tmp_path / "a-000.clip").touch()
    assert read_record(path) == record


def test_a_summary_adds_up():
    first = Record("a", (Made("a", 20, 2.0, ("hair", "hat")), Made("b", 10, 0.5, ("hair",))))
    second = Record("b", left_out=(LeftOut(Reason.LOST, 0, 5), LeftOut(Reason.LOST, 9, 2), LeftOut(Reason.UNREADABLE)))
    told = summary([first, second])
    assert (told["sources"], told["clips"], told["frames"], told["seconds"]) == (2, 2, 30, 2.5)
    assert told["items"] == {"hair": 2, "hat": 1}
    assert told["left_out"] == {"lost": 7, "unreadable": 1}
    assert told["why"]["lost"] == "No face was found in these frames."


@pytest.mark.parametrize("changes", [{"size": 60}, {"size": 100}, {"fps": 0.0}, {"masks": "none"}])
def test_settings_that_cannot_be_are_refused(tmp_path, changes):
    if "masks" in changes:
        changes = {"masks": tmp_path / "none"}
    with pytest.raises(InvalidRequest, match="give"):
        Preparation(tmp_path, tmp_path / "out", **changes)


def test_a_record_of_something_else_is_told(tmp_path):
    path = tmp_path / "a.mp4.record.json"
    path.write_text('{"source": "a.mp4", "made": [{"file": "a-000.clip", "frames": "many"}]}')
    with pytest.raises(
        InvalidRequest, match=r"'many' cannot be the frames of entry 1 of the made of a\.mp4\.record\.json"
    ):
        read_record(path)
