"""Methods: frames of the still, the pasted item and a folder, and refusals."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from durian.errors import InvalidRequest, UnreadableMedia, WeightsMissing
from durian.evaluation.data.tasks import Task, rendered, whole_crop
from durian.evaluation.methods.methods import (
    GivenFrames,
    MethodSpec,
    Paste,
    Still,
    digest_of,
    parse_method,
    process_method,
)
from durian.face import detect_faces
from durian.request import Attribute

RED = (250, 10, 10)
SHIFT = (20, 12)
"""How far to the right and down the reference's face is from the portrait's."""


@pytest.fixture(scope="module")
def task(collins: np.ndarray) -> Task:
    """A face, and the same face elsewhere in a picture, with a red square on its forehead."""
    portrait = np.ascontiguousarray(collins[:300, 70:370])
    landmarks = detect_faces(portrait)[0].landmarks.astype(np.float32)
    reference, (x, y) = np.roll(portrait, SHIFT, axis=(1, 0)), landmarks[151, :2].round().astype(int)
    mask = np.zeros(portrait.shape[:2], np.uint8)
    mask[y + SHIFT[1] - 8 : y + SHIFT[1] + 9, x + SHIFT[0] - 8 : x + SHIFT[0] + 9] = 255
    reference[mask > 0] = RED
    moved = landmarks + np.array([*SHIFT, 0], np.float32)
    return Task(
        "case", "other", portrait, landmarks, (Attribute(reference, mask, moved, "other"),), landmarks[None], 8.0
    )


def test_the_still_is_the_portrait_in_every_frame(task: Task):
    from dataclasses import replace

    frames = Still().frames(replace(task, driving=np.repeat(task.driving, 3, axis=0)))
    assert len(frames) == 3
    assert all(np.array_equal(frame, task.image) for frame in frames)


def test_an_item_is_pasted_where_the_landmarks_say(task: Task):
    frame = Paste().frames(task)[0]
    changed = np.abs(frame.astype(int) - task.image).max(axis=2) > 40
    rows, columns = np.nonzero(changed)
    x, y = task.landmarks[151, :2]
    assert (columns.mean(), rows.mean()) == pytest.approx((x, y), abs=1.5)
    assert changed.sum() == pytest.approx(17 * 17, rel=0.2)
    assert np.abs(frame[round(float(y)), round(float(x))].astype(int) - RED).max() < 12
    # Nothing else of the portrait changes.
    assert np.array_equal(frame[~changed][:5000], task.image[~changed][:5000])


def test_frames_are_read_from_pictures_or_a_video(task: Task, tmp_path: Path):
    from durian.media import write_video

    (tmp_path / "case").mkdir()
    Image.fromarray(task.image).save(tmp_path / "case" / "00000.png")
    assert np.array_equal(GivenFrames(tmp_path).frames(task)[0], task.image)
    (tmp_path / "video").mkdir()
    write_video([task.image], tmp_path / "video" / "case.mp4", 8)
    assert np.abs(GivenFrames(tmp_path / "video").frames(task)[0].astype(int) - task.image).mean() < 4
    # Larger frames are scaled to the data's size.
    Image.fromarray(task.image).resize((600, 600)).save(tmp_path / "case" / "00000.png")
    assert GivenFrames(tmp_path).frames(task).shape == (1, 300, 300, 3)
    Image.fromarray(task.image).resize((600, 500)).save(tmp_path / "case" / "00000.png")
    with pytest.raises(UnreadableMedia, match="600×500"):
        GivenFrames(tmp_path).frames(task)
    (tmp_path / "empty").mkdir()
    with pytest.raises(UnreadableMedia, match="nothing of case"):
        GivenFrames(tmp_path / "empty").frames(task)


def test_methods_are_named_by_their_folder(tmp_path: Path):
    folder = tmp_path / "other-method"
    folder.mkdir()
    spec = parse_method(f"frames={folder}")
    assert (spec.kind, spec.name) == ("frames", "other-method")
    assert [parse_method(text).name for text in ("still", "paste", "preview")] == ["still", "paste", "preview"]
    assert isinstance(process_method(MethodSpec("paste")), Paste)
    before = digest_of(spec)
    (folder / "a.png").write_bytes(b"1")
    assert digest_of(spec) != before


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("oil", InvalidRequest, "oil"),
        ("still={}", InvalidRequest, "takes no folder"),
        ("frames", InvalidRequest, "frames=FOLDER"),
        ("frames={}/none", InvalidRequest, "not a folder"),
        ("diffusion={}", WeightsMissing, "model_index.json"),
    ],
)
def test_methods_that_cannot_be(text: str, error: type, words: str, tmp_path: Path):
    with pytest.raises(error, match=words):
        parse_method(text.format(tmp_path))


def test_a_renderer_without_absolute_landmarks_is_refused(task: Task):
    class Plain:
        name = "plain"

    with pytest.raises(InvalidRequest, match="absolute landmarks"):
        rendered(Plain(), task, 128)


def test_the_whole_crop_copies_exactly(task: Task):
    assert np.array_equal(whole_crop(300).apply(task.image, 300), task.image)


@pytest.mark.slow
def test_a_checkpoint_is_opened_from_its_folder(task: Task, tmp_path: Path):
    from diffusion_made import tiny_pipeline

    for seed in (0, 1):
        tiny_pipeline(seed, trained_steps=1).save_pretrained(tmp_path / f"run-{seed}")
    specs = [parse_method(f"diffusion={tmp_path / f'run-{seed}'}") for seed in (0, 1)]
    assert [spec.name for spec in specs] == ["run-0", "run-1"]
    first, second = (process_method(spec, 64).frames(task) for spec in specs)
    assert first.shape == (1, 300, 300, 3)
    assert not np.array_equal(first, second), "each folder has its own weights"
    assert np.array_equal(process_method(specs[0], 64).frames(task), first)
