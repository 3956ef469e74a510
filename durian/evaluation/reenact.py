"""A clip's first frame moved by the clip's own landmarks, against the clip: how faithful is the motion?

Neutral is the first frame, landmarks are absolute (nothing is retargeted), the middle square of the clip is scaled to
512 px. Scores are averaged over the frames behind the first, then over clips, and stand beside those of the still first
frame.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from durian.errors import InvalidRequest
from durian.evaluation.metrics import Score, compare, landmark_error, mean_score
from durian.evaluation.sheets import write_sheet
from durian.evaluation.triplets import render, whole_crop
from durian.evaluation.workers import process_renderer, score_all
from durian.face import Crop, track_faces
from durian.face.landmarks import fill_gaps
from durian.request import AnimationRequest, Portrait, RenderOptions

SIZE = 512
SHEET_COLUMNS = 6
VIDEO_ENDINGS = (".mp4", ".mov", ".webm", ".mkv", ".avi")


@dataclass(frozen=True)
class ClipScores:
    """One clip's means.

    ``error`` is in percent of the outer-eye distance, ``None`` when no rendered frame shows a face; ``missed`` true and
    ``lost`` rendered frames show none.
    """

    name: str
    frames: int
    error: float | None
    rendered: Score
    still: Score
    missed: int
    lost: int

    @property
    def better_than_still(self) -> bool:
        return self.rendered.psnr > self.still.psnr and self.rendered.ssim > self.still.ssim


def evaluate_reenact(
    videos: Path,
    renderer: str = "preview",
    limit: int | None = None,
    workers: int = 1,
    sheets: Path | None = None,
) -> dict[str, object]:
    """Score a renderer on all clips of a folder.

    Args:
        videos: folder of clips with one person each.
        renderer: its name; it must take absolute landmarks (``render_landmarks``).
        limit: only the first so many clips.
        workers: processes.
        sheets: a folder for one contact sheet per clip.

    Returns:
        ``clips``, ``landmark_error_percent``, ``better_than_still_percent`` (clips whose mean PSNR and mean SSIM are
        both above the still's), ``psnr``, ``ssim``, ``still_psnr``, ``still_ssim``, and ``by_clip``.
    """
    paths = sorted(path for path in videos.iterdir() if path.suffix.lower() in VIDEO_ENDINGS)[:limit]
    if not paths:
        raise InvalidRequest(f"{videos.name} holds no clips: give a folder of {', '.join(VIDEO_ENDINGS)} files.")
    clips = score_all(partial(score_clip, renderer=renderer, sheets=sheets), paths, workers, "clip")
    errors = [clip.error for clip in clips if clip.error is not None]
    rendered, still = mean_score(c.rendered for c in clips), mean_score(c.still for c in clips)
    return {
        "clips": len(clips),
        "landmark_error_percent": _rounded(np.mean(errors)) if errors else None,
        "better_than_still_percent": round(100 * float(np.mean([clip.better_than_still for clip in clips])), 1),
        "psnr": round(rendered.psnr, 3),
        "ssim": round(rendered.ssim, 4),
        "still_psnr": round(still.psnr, 3),
        "still_ssim": round(still.ssim, 4),
        "by_clip": {clip.name: _clip_report(clip) for clip in clips},
    }


def score_clip(path: Path, renderer: str, sheets: Path | None = None) -> ClipScores:
    """Render and score one clip.

    Raises:
        NoFaceFound: no frame of it shows a face.
    """
    from durian.media import iter_video

    true = [_middle_square(frame) for frame in iter_video(path)]
    found = track_faces(true, path.name)
    if all(landmarks is None for landmarks in found):
        raise InvalidRequest(f"{path.name} shows no face: leave it out of the folder.")
    driving, missed = fill_gaps(found)
    request = AnimationRequest(
        portrait=Portrait(true[0], driving[0], whole_crop(SIZE)),
        options=RenderOptions(size=SIZE, frames=1, label=False),
        renderer=renderer,
    )
    frames = list(render(process_renderer(renderer), request, driving))
    again = track_faces(frames, path.name)
    errors = [
        landmark_error(after, before)
        for after, before in list(zip(again, found, strict=True))[1:]
        if after is not None and before is not None
    ]
    if sheets is not None:
        columns = np.linspace(0, len(frames) - 1, SHEET_COLUMNS).astype(int)
        write_sheet(sheets / f"{path.stem}.png", [[true[i] for i in columns], [frames[i] for i in columns]])
    return ClipScores(
        name=path.stem,
        frames=len(frames),
        error=float(np.mean(errors)) if errors else None,
        rendered=mean_score(compare(frame, truth) for frame, truth in zip(frames[1:], true[1:], strict=True)),
        still=mean_score(compare(true[0], truth) for truth in true[1:]),
        missed=missed,
        lost=sum(landmarks is None for landmarks in again),
    )


def _middle_square(frame: np.ndarray) -> np.ndarray:
    height, width = frame.shape[:2]
    return Crop((width - 1) / 2, (height - 1) / 2, min(height, width)).apply(frame, SIZE)


def _clip_report(clip: ClipScores) -> dict[str, object]:
    return {
        "frames": clip.frames,
        "landmark_error_percent": None if clip.error is None else _rounded(clip.error),
        "psnr": round(clip.rendered.psnr, 3),
        "ssim": round(clip.rendered.ssim, 4),
        "still_psnr": round(clip.still.psnr, 3),
        "still_ssim": round(clip.still.ssim, 4),
        "better_than_still": clip.better_than_still,
        "frames_without_face": clip.missed,
        "rendered_without_face": clip.lost,
    }


def _rounded(percent: float) -> float:
    return round(float(percent), 3)
