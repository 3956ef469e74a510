"""Values of the page's components from a session, which nothing here changes."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np

from durian.face.geometry import eye_distance
from durian.geometry.alignment import item_mesh, mask_box
from durian.geometry.mesh import HeadPose
from durian.layers.fit import fit
from durian.motion import PRESETS
from durian.request import Placement, Portrait, RenderOptions
from durian.settings import get_settings
from durian.ui import texts
from durian.ui.pictures import data_url, image_id, item_thumbnail, mask_path
from durian.ui.session import Item, Session


def picture(image: np.ndarray, known: bool = False, **rest: Any) -> dict[str, Any]:
    """The common part of a stage's value. ``known`` leaves out a picture that the page has already."""
    return {
        "image_id": image_id(image),
        "image": None if known else data_url(image),
        "width": image.shape[1],
        "height": image.shape[0],
        **rest,
    }


def portrait_view(session: Session, known: bool = False) -> dict[str, Any]:
    """The portrait stage: photo, boxed faces, crop square ``(x, y, side)``."""
    choice = session.portrait
    if choice is None:
        return {}
    crop, count = choice.crop, len(choice.faces)
    return picture(
        choice.image,
        known,
        faces=[[round(float(v), 1) for v in face.box] for face in choice.faces],
        chosen=choice.chosen,
        crop=[crop.x, crop.y, crop.side],
        note=texts.MANY_FACES.format(count=count) if count > 1 else "",
    )


def mask_view(session: Session, known: bool = False, note: str = "") -> dict[str, Any]:
    """The mask stage of the selected item: reference, outline, numbered clicks."""
    item = session.item
    if item is None or item.image is None or item.history is None:
        return {}
    step = item.history.step
    if not note and not item.ready:
        note = texts.NOTHING_FOUND
    elif not note and item.landmarks is None:
        note = texts.NO_REFERENCE_FACE
    session.revision += 1
    return picture(
        item.image,
        known,
        path=mask_path(item.history.mask),
        points=[[x, y, positive] for x, y, positive in step.clicks],
        name=step.name,
        can=item.history.can,
        note=note,
        revision=session.revision,
    )


def items_view(session: Session) -> dict[str, Any]:
    """The row of items, with a cut-out of each and a sign on those that may not go well; of the chosen one it is said
    why."""
    cards, note = [], ""
    for index, item in enumerate(session.items, start=1):
        image = None if item.image is None else item_card(item)
        title = f"{index} {item.name if item.ready else 'new'}"
        warning = item_warning(session, item)
        cards.append({"id": item.id, "title": title, "image": image, "removable": True, "warning": warning})
        if warning is not None and item is session.item:
            note = warning["text"]
    room = len(session.items) < get_settings().max_attributes
    chosen = session.item.id if session.item else None
    return {"cards": cards, "chosen": chosen, "add": "+ Add" if room else None, "note": note}


def item_warning(session: Session, item: Item) -> dict[str, str] | None:
    """The level and first reason of an item that may not go well, worked out anew when it or the portrait changed."""
    if session.portrait is None or not item.ready:
        return None
    key = (item.masking().step, session.portrait.portrait(), session.options.size)
    if item.fit_cache is None or any(new is not old for new, old in zip(key, item.fit_cache[0], strict=True)):
        item.fit_cache = (key, fit(item.attribute(), *key[1:]))
    found = item.fit_cache[1]
    return {"level": found.level, "text": found.reasons[0]} if found.reasons else None


def item_card(item: Item) -> str:
    """The item's thumbnail, made anew only when its mask changed."""
    history = item.masking()
    step = history.step
    if item.card_cache is None or item.card_cache[0] is not step:
        item.card_cache = (step, item_thumbnail(history.image, history.mask))
    return item.card_cache[1]


def motions_view(session: Session) -> dict[str, Any]:
    """The presets, with their thumbnails."""
    chosen = None if session.motion.tracked is not None else session.motion.name
    cards = [
        {"id": name, "title": name.replace("-", " "), "text": text, "image": motion_thumbnail(name)}
        for name, text in PRESETS.items()
    ]
    return {"cards": cards, "chosen": chosen}


@lru_cache(maxsize=64)
def motion_thumbnail(name: str) -> str | None:
    """A data URL of the preset's thumbnail, or ``None`` where assets has none."""
    from durian.assets import motion_thumbnail as find

    path = find(name)
    return None if path is None else file_url(path)


def file_url(path: Any) -> str:
    """A small picture file as a data URL."""
    import base64
    import mimetypes

    kind = mimetypes.guess_type(path.name)[0] or "image/webp"
    return f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode()}"


def still_view(session: Session, image: np.ndarray, note: str = "") -> dict[str, Any]:
    """The still's stage with the selected item's handles."""
    value = picture_view(session, image, note)
    item = session.item
    portrait = session.shown_portrait()
    if session.options.uncrop or portrait is None or item is None or not item.ready:
        return value
    home = home_box(portrait, item, session.options.size)
    scale = image.shape[0] / session.options.size
    eye = eye_distance(portrait.landmarks) * image.shape[0] / portrait.crop.side
    placement = item.placement
    x, y, width, height = (part * scale for part in home)
    box = {
        "home_x": x,
        "home_y": y,
        "x": x + placement.dx * eye,
        "y": y + placement.dy * eye,
        "width": width,
        "height": height,
        "scale": placement.scale,
        "angle": placement.angle,
    }
    return {**value, "box": box, "eye": eye, "item": item.id, "handles": session.frame == 0}


def picture_view(session: Session, image: np.ndarray, note: str = "", **rest: Any) -> dict[str, Any]:
    """The still's stage without handles."""
    session.revision += 1
    return picture(image, note=note, revision=session.revision, **rest)


def home_box(portrait: Portrait, item: Item, size: int) -> tuple[float, float, float, float]:
    """Centre, width and height of where an item lies by itself, in pixels of the output frame of ``size``."""
    history = item.masking()
    key = (history.step, portrait.crop, item.trim, size)
    if item.box_cache is None or item.box_cache[0] != key:
        landmarks = portrait.crop.points(portrait.landmarks, size)
        mesh = item_mesh(replace(item.attribute(), placement=Placement()), landmarks)
        rest = mesh.positions(landmarks, HeadPose(1.0, np.eye(3), np.zeros(3)))[:, :2]
        x0, y0, x1, y1 = mask_box(history.mask)
        x, y = mesh.texture_points.T
        inside = (x >= x0) & (x <= x1) & (y >= y0) & (y <= y1)
        rest = rest[inside] if inside.sum() > 3 else rest
        low, high = rest.min(0), rest.max(0)
        (x, y), (width, height) = (low + high) / 2, high - low
        item.box_cache = (key, (float(x), float(y), float(width), float(height)))
    return item.box_cache[1]


def still_note(session: Session) -> str:
    """The reason why the still does not show everything, in one line, or ``""``."""
    missing = [str(i) for i, item in enumerate(session.items, start=1) if not item.ready]
    if missing:
        return texts.ITEMS_NEED_MASK.format(numbers=" and ".join(missing))
    return ""


def control_values(session: Session) -> dict[str, Any]:
    """The value of every slider and box, by its key in :mod:`durian.ui.controls`."""
    options: RenderOptions = session.options
    values = {name: getattr(options, name) for name in RenderOptions.__dataclass_fields__}
    values |= {"mode": session.mode, "blend_start": session.blend_start, "blend_end": session.blend_end}
    values |= {"frame": session.frame, "sound": session.sound, "erase": list(session.erase)}
    choice = session.portrait
    values |= {"room": choice.room, "shift_x": choice.shift_x, "shift_y": choice.shift_y} if choice else {}
    motion = session.motion
    values |= {"trim_start": motion.start, "trim_end": motion.end}
    values["neutral"] = -1.0 if motion.neutral is None else motion.neutral
    item = session.item or Item(0)
    values |= {"item_id": item.id, "strength": item.strength, "trim": item.trim}
    values["layer"] = item.attribute().drawing_layer if item.ready else 3
    values |= {name: getattr(item.placement, name) for name in ("dx", "dy", "scale", "angle")}
    return values
