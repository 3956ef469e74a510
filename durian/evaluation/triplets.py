"""Transfer with known truth: a portrait puts on another person's item and moves as the true frames do.

Portrait is tile 0, reference is tile 2 with its true mask, driven by the landmarks of the twelve target tiles (the same
person, so nothing is retargeted). Scores are taken at the data's 256 px whatever size the renderer works at, averaged
over frames, then over scenes. *inside* is where the target wears the item, *outside* is farther than 6 px from that.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from durian.errors import InvalidRequest, UnreadableMedia
from durian.evaluation.landmarks import detect_upscaled, fill_gaps
from durian.evaluation.metrics import Score, compare_in, mean_by_name, regions_of
from durian.evaluation.sheets import write_sheet
from durian.evaluation.workers import process_renderer, score_all
from durian.face import Crop
from durian.renderer import Renderer
from durian.request import AnimationRequest, Attribute, Portrait, RenderOptions

TILE = 256
GRID = 4
PORTRAIT, REFERENCE, TARGETS = 0, 2, range(4, 16)
FIRST_TEST_SCENE = 400
"""Scenes from here on are for testing only."""
SHEET_COLUMNS = 4


@dataclass(frozen=True)
class Scene:
    """``tiles`` ``(16, 256, 256, 3) uint8`` RGB, ``labels`` ``(16, 256, 256) uint8``, ``classes`` of the item."""

    name: str
    attribute: str
    classes: tuple[int, ...]
    tiles: np.ndarray
    labels: np.ndarray

    def item(self, tile: int) -> np.ndarray:
        """Where the item is, ``(256, 256) bool``."""
        return np.isin(self.labels[tile], self.classes)


@dataclass(frozen=True)
class SceneScores:
    """Mean over a scene's frames for ``still`` and the renderer; ``filled`` frames had no landmarks of their own."""

    name: str
    attribute: str
    still: dict[str, Score]
    rendered: dict[str, Score]
    filled: int


def evaluate_triplets(
    data: Path,
    renderer: str = "preview",
    size: int = 512,
    scenes: str = "test",
    limit: int | None = None,
    workers: int = 1,
    sheets: Path | None = None,
) -> dict[str, object]:
    """Score a renderer on scenes.

    Args:
        data: folder of ``NNNNN.webp``, ``.png`` and ``.json``.
        renderer: its name; it must take absolute landmarks (``render_landmarks``).
        size: side in pixels at which it renders.
        scenes: ``test``, ``all`` or ``FIRST-LAST``.
        limit: only the first so many of them.
        workers: processes.
        sheets: a folder for one contact sheet per scene.

    Returns:
        ``scenes``; for ``still`` and the renderer's name ``{all, inside, outside: {psnr, ssim, l1}}``;
        ``by_attribute`` with the same for each; ``skipped`` scenes whose portrait shows no face; ``filled_frames``
        whose landmarks were interpolated.
    """
    chosen = choose_scenes(data, scenes)[:limit]
    score = partial(score_scene, renderer=renderer, size=size, sheets=sheets)
    results = score_all(score, chosen, workers, "scene")
    scored = [result for result in results if result is not None]
    if not scored:
        raise InvalidRequest(f"No face was found in any portrait of {data.name}: give the folder of triplets.")
    attributes = sorted({result.attribute for result in scored})
    return {
        "scenes": len(scored),
        **_summary(scored, renderer),
        "by_attribute": {
            name: _summary([result for result in scored if result.attribute == name], renderer, count=True)
            for name in attributes
        },
        "skipped": [path.stem for path, result in zip(chosen, results, strict=True) if result is None],
        "filled_frames": sum(result.filled for result in scored),
    }


def choose_scenes(data: Path, which: str) -> list[Path]:
    """The scenes' JSON files, in order.

    Raises:
        InvalidRequest: there are none, or ``which`` is not understood.
    """
    found = sorted(path for path in data.glob("*.json") if path.stem.isdecimal())
    first, last = 0, sys.maxsize
    if which == "test":
        first = FIRST_TEST_SCENE
    elif which != "all":
        bounds = which.split("-")
        if len(bounds) != 2 or not all(bound.isdecimal() for bound in bounds):
            raise InvalidRequest(f"Scenes {which!r} are not known: use test, all or FIRST-LAST.")
        first, last = int(bounds[0]), int(bounds[1])
    chosen = [path for path in found if first <= int(path.stem) <= last]
    if not chosen:
        raise InvalidRequest(f"{data.name} holds no scenes of {which!r}: give the folder of triplets, or --scenes all.")
    return chosen


def load_scene(path: Path) -> Scene:
    """Read a scene by its JSON file; each grid is decoded once.

    Raises:
        UnreadableMedia: a file is missing or of another size.
    """
    from PIL import Image

    try:
        about = json.loads(path.read_text())
        with Image.open(path.with_suffix(".webp")) as picture:
            grid = np.asarray(picture.convert("RGB"))
        with Image.open(path.with_suffix(".png")) as picture:
            labels = np.asarray(picture)
        return Scene(
            path.stem, about["attribute"], tuple(about["labels"]), _tiles(grid, path.name), _tiles(labels, path.name)
        )
    except (OSError, ValueError, KeyError) as error:
        raise UnreadableMedia(f"Scene {path.stem} cannot be read ({error}): give the folder of triplets.") from error


def score_scene(path: Path, renderer: str, size: int, sheets: Path | None = None) -> SceneScores | None:
    """Render and score one scene; ``None`` when its portrait shows no face."""
    scene = load_scene(path)
    portrait_landmarks = detect_upscaled(scene.tiles[PORTRAIT])
    targets = [detect_upscaled(scene.tiles[tile]) for tile in TARGETS]
    if portrait_landmarks is None or all(landmarks is None for landmarks in targets):
        return None
    driving, filled = fill_gaps(targets)
    request = make_request(scene, portrait_landmarks, renderer, size)
    still, rendered, frames = [], [], []
    for tile, frame in zip(TARGETS, render(process_renderer(renderer), request, driving), strict=True):
        frame = frame if size == TILE else cv2.resize(frame, (TILE, TILE), interpolation=cv2.INTER_AREA)
        regions = regions_of(scene.item(tile))
        still.append(compare_in(scene.tiles[PORTRAIT], scene.tiles[tile], regions))
        rendered.append(compare_in(frame, scene.tiles[tile], regions))
        frames.append(frame)
    if sheets is not None:
        columns = np.linspace(0, len(frames) - 1, SHEET_COLUMNS).astype(int)
        inputs = [scene.tiles[PORTRAIT], scene.tiles[REFERENCE]]
        true = [scene.tiles[TARGETS[i]] for i in columns]
        write_sheet(
            sheets / f"{scene.name}-{scene.attribute}.png", [inputs + true, inputs + [frames[i] for i in columns]]
        )
    return SceneScores(scene.name, scene.attribute, mean_by_name(still), mean_by_name(rendered), filled)


def make_request(scene: Scene, landmarks: np.ndarray, renderer: str, size: int) -> AnimationRequest:
    """The request whose absolute landmarks are still to come: the whole tile is the crop."""
    mask = scene.item(REFERENCE).astype(np.uint8) * 255
    reference = scene.tiles[REFERENCE]
    return AnimationRequest(
        portrait=Portrait(scene.tiles[PORTRAIT], landmarks, whole_crop()),
        attributes=(Attribute(reference, mask, detect_upscaled(reference), scene.attribute),),
        options=RenderOptions(size=size, frames=len(TARGETS), label=False),
        renderer=renderer,
    )


def whole_crop(side: int = TILE) -> Crop:
    """All of a square picture; pixel centres are at integers, so its middle is at half of ``side - 1``."""
    return Crop((side - 1) / 2, (side - 1) / 2, side)


def render(renderer: Renderer, request: AnimationRequest, driving: np.ndarray) -> Iterator[np.ndarray]:
    """Frames for absolute landmarks ``(F, 478, 3)`` in the portrait picture's pixels.

    Raises:
        InvalidRequest: the renderer takes no absolute landmarks.
    """
    if not hasattr(renderer, "render_landmarks"):
        raise InvalidRequest(f"Renderer {renderer.name!r} takes no absolute landmarks: evaluate another one.")
    crop, size = request.portrait.crop, request.options.size
    return renderer.render_landmarks(request, crop.points(driving, size))


def _summary(results: list[SceneScores], renderer: str, count: bool = False) -> dict[str, object]:
    summary: dict[str, object] = {"scenes": len(results)} if count else {}
    for name, scores in (("still", [r.still for r in results]), (renderer, [r.rendered for r in results])):
        summary[name] = {region: score.rounded() for region, score in mean_by_name(scores).items()}
    return summary


def _tiles(grid: np.ndarray, name: str) -> np.ndarray:
    if grid.shape[:2] != (GRID * TILE, GRID * TILE):
        raise UnreadableMedia(f"{name} is {grid.shape[1]}×{grid.shape[0]} pixels: a scene has {GRID * TILE} a side.")
    rows = grid.reshape(GRID, TILE, GRID, TILE, *grid.shape[2:])
    return np.ascontiguousarray(rows.swapaxes(1, 2)).reshape(GRID * GRID, TILE, TILE, *grid.shape[2:])
