"""Render the example people and references of ``assets/`` anew, with their masks and ``examples.json``.

DURIAN_HEAD_MODEL=FILE python -m scripts.make_examples
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from PIL import Image

from durian.settings import get_settings
from durian.synthetic.base.looks import BeardLook, EarringLook, GlassesLook, HairLook, HatLook
from durian.synthetic.base.person import Light, Person, View
from durian.synthetic.base.wear import Look, linear
from durian.synthetic.head.head import HeadModel
from durian.synthetic.render.camera import SHIFT_UNIT
from durian.synthetic.scenes.casting import cast
from durian.synthetic.scenes.colouring import hair_colour
from durian.synthetic.studio.studio import Studio
from durian.synthetic.worn.cloth import ClothLook

SIZE, SAMPLES = 768, 3
QUALITY = 90
SMILE = {"mouthSmile_L": 0.45, "mouthSmile_R": 0.42, "cheekSquint_L": 0.2, "cheekSquint_R": 0.2}
WINDOW = Light(
    direction=(0.55, 0.4, 0.75),
    colour=(0.62, 0.60, 0.57),
    ambient=0.42,
    ambient_colour=(0.97, 1.0, 1.04),
    softness=0.45,
)
STUDIO = Light(direction=(-0.5, 0.5, 0.75), colour=(0.72, 0.705, 0.685), ambient=0.5, rim=0.35, softness=0.4)


@dataclass(frozen=True)
class Example:
    """One picture: who (a seed, with these changes), in which view, and what it is on the page."""

    title: str
    seed: int
    feminine: float
    age: float
    item: str | None = None
    wears: Mapping[str, Look] = field(default_factory=dict)
    yaw: float = 0.0
    pitch: float = 0.0
    scale: float = 34.0
    down: float = 0.03
    light: Light = WINDOW
    background: int = 0

    def person(self) -> Person:
        """Without anything but hair, clothes and what the example wears."""
        bare = {"hat": HatLook(), "glasses": GlassesLook(), "beard": BeardLook()}
        return replace(cast(self.seed, self.feminine, self.age), **(bare | dict(self.wears)))

    def view(self) -> View:
        """At eye level, with a smile."""
        return View(
            expression=SMILE,
            yaw=self.yaw,
            pitch=self.pitch,
            scale=self.scale,
            cy=self.down / SHIFT_UNIT,
            light=self.light,
            background=self.background or self.seed,
        )


RED = linear("#91482a")
BROWN, CHESTNUT = hair_colour(0.35), hair_colour(0.16, 0.05)

EXAMPLES = {
    "portrait-ines": Example(
        "Ines", 311, 1.0, 27, yaw=0.1, wears={"hair": HairLook("bun", {"height": 0.1, "wisps": 0.0}, 3, BROWN)}
    ),
    "portrait-mateo": Example("Mateo", 316, 0.0, 29, yaw=-0.12, light=STUDIO),
    "portrait-amara": Example(
        "Amara", 306, 1.0, 26, yaw=-0.05, light=STUDIO,
        wears={"hair": HairLook("tight_curls", {"length": 1.5}, 3, hair_colour(0.8))},
    ),
    "portrait-finn": Example("Finn", 307, 0.0, 31, yaw=0.08),
    "hat-fedora": Example(
        "Straw hat with a wide brim", 328, 1.0, 28, "hat", yaw=-0.25, scale=46, down=0.07,
        wears={
            "hat": HatLook("straw_hat", {}, 3, linear("#d9c08a"), linear("#2a3344")),
            "hair": HairLook("bun", {"height": 0.0, "wisps": 0.0}, 3, BROWN),
        },
    ),
    "hat-cap": Example(
        "Cap", 303, 0.0, 24, "hat", yaw=0.28, scale=37, down=0.05, light=STUDIO,
        wears={"hat": HatLook("baseball_cap", seed=5, colour=linear("#27474e"), accent=linear("#ece8df"))},
    ),
    "hat-beanie": Example(
        "Beanie", 327, 0.0, 25, "hat", yaw=-0.15, scale=37, down=0.05,
        wears={"hat": HatLook("cuffed_beanie", seed=7, colour=linear("#b5482f"))},
    ),
    "glasses-rect": Example(
        "Brown glasses", 310, 0.0, 33, "glasses", yaw=0.2, light=STUDIO,
        wears={"glasses": GlassesLook("rectangular", seed=2, colour=linear("#5a3a22"), finish="plastic")},
    ),
    "glasses-round": Example(
        "Round glasses", 307, 1.0, 32, "glasses", yaw=-0.12,
        wears={"glasses": GlassesLook("round", seed=2, colour=linear("#c9a45c"), finish="metal")},
    ),
    "glasses-sun": Example(
        "Sunglasses", 300, 1.0, 26, "glasses", yaw=0.15, light=STUDIO,
        wears={
            "glasses": GlassesLook(
                "wayfarer", seed=2, colour=linear("#141416"), lens="dark", tint=linear("#2c2d30"), reflection=0.25
            )
        },
    ),
    "hair-afro": Example(
        "Afro", 309, 1.0, 27, "hair", yaw=0.1, scale=40, down=0.04, light=STUDIO,
        wears={"hair": HairLook("afro", {"length": 5.5}, 4, hair_colour(0.9)), "earrings": EarringLook()},
    ),
    "hair-bob": Example(
        "Bob", 313, 1.0, 27, "hair", yaw=-0.2, wears={"hair": HairLook("bob", {"parting": 2.5}, 4, CHESTNUT)}
    ),
    "hair-long-wavy": Example(
        "Long, wavy hair", 316, 1.0, 27, "hair", yaw=0.15, scale=42, down=-0.06,
        wears={"hair": HairLook("long_wavy", {}, 6, RED), "cloth": ClothLook("crew", colour=linear("#5e4773"))},
    ),
    "beard-full": Example(
        "Full beard", 302, 0.0, 36, "beard", yaw=-0.15, scale=36, down=-0.02, light=STUDIO,
        wears={
            "beard": BeardLook("full", {"length": 2.6}, 3, hair_colour(0.6)),
            "cloth": ClothLook("crew", {"level": 2.4}, colour=linear("#6d5a4c")),
        },
    ),
    "beard-full-red": Example(
        "Red beard", 319, 0.0, 34, "beard", yaw=0.18, scale=36, down=-0.02,
        wears={"beard": BeardLook("full", {"length": 2.2}, 5, RED), "hair": HairLook("crop", {}, 2, RED)},
    ),
}  # fmt: skip
ORIGIN = (
    "Rendered by this project: parametric head on ICT-FaceKit (MIT, see LICENSE-ICT-FaceKit), seed {seed}; not a real "
    "person."
)
MASKED = " The mask is exact, from the renderer."


def main() -> None:
    """Write pictures, masks and the table."""
    folder, studio = get_settings().assets, Studio(HeadModel.load())
    entries = []
    for key, example in EXAMPLES.items():
        picture = studio.render(example.person(), example.view(), SIZE, SAMPLES)
        Image.fromarray(picture.rgb).save(folder / f"{key}.webp", quality=QUALITY, method=6)
        entry = {"file": f"{key}.webp", "kind": "attribute" if example.item else "portrait", "title": example.title}
        entry["synthetic"] = True
        if example.item:
            entry |= {"name": example.item, "mask": f"{key}-mask.png"}
            save_mask(picture.coverage[example.item], folder / entry["mask"])
        entry["origin"] = ORIGIN.format(seed=example.seed) + (MASKED if example.item else "")
        entries.append(entry)
        print(key)
    (folder / "examples.json").write_text(json.dumps(entries, indent=2, ensure_ascii=False) + "\n", "utf-8")


def save_mask(mask: np.ndarray, path: Path) -> None:
    """``(S, S) uint8`` as a PNG."""
    Image.fromarray(mask).save(path, optimize=True)


if __name__ == "__main__":
    main()
