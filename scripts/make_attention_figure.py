"""Make ``docs/attention.png`` anew: where a tiny model looks after some minutes of training on one CPU.

The model learns to put pictures back together: portrait and attribute references are two other views of the target's
own picture, with complementary masks. The figure shows views of a picture that training never saw.

python -m scripts.make_attention_figure
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from durian.diffusion.attention_maps import attention_maps
from durian.diffusion.conditioning import SemanticTokens
from durian.diffusion.latents import encode, latent_factor
from durian.diffusion.output import as_video
from durian.diffusion.pipeline import AttributeReference, DurianPipeline
from durian.diffusion.presets import build, get_preset
from durian.diffusion.reference_inputs import masked
from durian.diffusion.reference_net import ReferenceNet
from durian.diffusion.references import References
from durian.training.stages.networks import start_alike
from scripts.attention_views import SIZE, SOURCE, Picture, View, inside, moved, pictures, sample_views, view, without

HELD_OUT = "hat-fedora"
"""The picture of the figure; training never sees it."""
TIMESTEP = 800
"""Of the figure: hardly anything shows through the noise but where light and dark are."""
LAYER = 0
"""Of the figure: the first at the finest level."""
FIGURE_SEED = 3
PLACES = ((46.0, 17.0), (50.0, 65.0), (25.0, 68.0))
"""Of the figure: on the hat, the mouth and the hair, in pixels of the held-out picture at ``SOURCE``."""
NEAR, MEASURED_VIEWS, MEASURED_PLACES = 8, 20, 40
"""Pixels around a place, and what the printed numbers average over."""
LEAST_NOISE = 400
"""Timestep. With less noise a picture shows itself, and references say nothing new."""
TARGETS = 4
"""Targets of each pair of references in a training step: they share what the reference nets do."""


# The model


def make_pipeline() -> DurianPipeline:
    """The smallest preset: 16 x 16 latent positions, conditioning without anything pretrained."""
    pipeline = build(get_preset("mini-64"))
    start_alike(pipeline)
    return pipeline


def tensor(pictures: list[np.ndarray]) -> Tensor:
    """``(N, C, S, S)`` in [0, 1] of uint8 pictures or masks."""
    stacked = torch.from_numpy(np.stack(pictures)).float() / 255
    return stacked[:, None] if stacked.ndim == 3 else stacked.permute(0, 3, 1, 2)


def train_autoencoder(pipeline: DurianPipeline, chosen: list[Picture], steps: int, random: np.random.Generator) -> None:
    vae = pipeline.vae
    optimiser = torch.optim.AdamW(vae.parameters(), 2e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 2e-3, steps)
    for _ in range(steps):
        patches = F.pixel_unshuffle(
            tensor([views[0].image for views in sample_views(chosen, 16, random, 0)]) * 2 - 1, 4
        )
        posterior = vae.encode(patches).latent_dist
        restored = vae.decode(posterior.mode() + 0.05 * torch.randn_like(posterior.mean)).sample
        loss = F.mse_loss(restored, patches) + 1e-4 * posterior.mean.square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    with torch.no_grad():
        latents = encode(vae, tensor([views[0].image for views in sample_views(chosen, 64, random, 0)]) * 2 - 1)
    vae.register_to_config(scaling_factor=1 / float(latents.std()))
    print(f"autoencoder: mean squared error {float(loss.detach()):.4f}", flush=True)


def train(pipeline: DurianPipeline, chosen: list[Picture], steps: int, batch: int, random: np.random.Generator) -> None:
    """The image stage of the training at its simplest: v-prediction, single frames, no dropout."""
    parts = [
        pipeline.attribute_reference_net,
        pipeline.portrait_reference_net,
        pipeline.denoiser,
        pipeline.guider,
        pipeline.conditioner,
    ]
    parameters = [parameter for part in parts for parameter in part.train().parameters()]
    optimiser = torch.optim.AdamW(parameters, 2e-3, weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 2e-3, steps, pct_start=0.1)
    started, total = time.monotonic(), 0.0
    for step in range(1, steps + 1):
        loss = training_loss(pipeline, sample_views(chosen, batch, random, TARGETS))
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimiser.step()
        schedule.step()
        total += float(loss.detach())
        if step % 100 == 0:
            print(f"step {step}: loss {total / 100:.4f}, {time.monotonic() - started:.0f} s", flush=True)
            total = 0.0
    for part in parts:
        part.eval()


def training_loss(pipeline: DurianPipeline, views: list[tuple[View, ...]]) -> Tensor:
    portraits, attributes = [one[0] for one in views], [one[1] for one in views]
    targets = [target for one in views for target in one[2:]]
    with torch.no_grad():
        latents = encode(pipeline.vae, tensor([one.image for one in targets]) * 2 - 1)
    timestep = torch.randint(LEAST_NOISE, pipeline.scheduler.config.num_train_timesteps, (len(targets),))
    noise = torch.randn_like(latents)
    noisy = pipeline.scheduler.add_noise(latents, noise, timestep)
    portrait = features(pipeline, pipeline.portrait_reference_net, portraits, inverted=True)
    attribute = features(pipeline, pipeline.attribute_reference_net, attributes)
    conditioner = pipeline.conditioner
    tokens = conditioner.denoiser_tokens([conditioner.of_attribute(attribute)], conditioner.of_portrait(portrait))
    output = pipeline.denoiser(
        noisy,
        timestep,
        SemanticTokens(tokens.tokens.repeat_interleave(TARGETS, 0)),
        references=References((portrait.reference(True), attribute.reference(True))),
        guidance=pipeline.guider(tensor([one.keypoints for one in targets])),
    )
    return F.mse_loss(output, pipeline.scheduler.get_velocity(latents, noise, timestep))


def features(pipeline: DurianPipeline, net: ReferenceNet, views: list[View], inverted: bool = False):
    inside = tensor([255 - one.mask if inverted else one.mask for one in views])
    with torch.no_grad():
        latents = encode(pipeline.vae, masked(tensor([one.image for one in views]) * 2 - 1, inside))
    small = F.avg_pool2d(inside, latent_factor(pipeline.vae))
    return net(latents, small, keypoints=tensor([one.keypoints for one in views]))


# What came of it


def looked_at(pipeline: DurianPipeline, target: View, portrait: View, attribute: View, points: list, noise_seed: int):
    """Attention maps of points of a target, with the latents that they were computed from."""
    worn = AttributeReference(attribute.image, attribute.mask, keypoints=attribute.keypoints)
    pipeline.set_references(portrait.image, portrait.mask, [worn], portrait_keypoints=portrait.keypoints)
    latents = encode(pipeline.vae, tensor([target.image]) * 2 - 1)
    noise = torch.randn(latents.shape, generator=torch.Generator().manual_seed(noise_seed))
    noisy = pipeline.scheduler.add_noise(latents, noise, torch.tensor([TIMESTEP]))
    return attention_maps(pipeline, target.keypoints, noisy, TIMESTEP, points, LAYER), noisy


def measure(pipeline: DurianPipeline, picture: Picture, when: str) -> None:
    """Print how much attention goes to the reference that shows a place, and how much of that within ``NEAR``."""
    random = np.random.default_rng(1)
    found: dict[str, list[tuple[float, float, float]]] = {"attribute": [], "portrait": []}
    for number in range(MEASURED_VIEWS):
        target, portrait, attribute = (view(picture.pixels, random) for _ in range(3))
        places = [tuple(place) for place in random.uniform(0, SOURCE - 1, (MEASURED_PLACES, 2))]
        places = [place for place in places if all(inside(place, one) for one in (target, portrait, attribute))]
        maps, _ = looked_at(pipeline, target, portrait, attribute, [moved(p, target) for p in places], number)
        for (x, y), one in zip(places, maps):
            worn = picture.pixels[round(y), round(x), 6] > 127
            of_part, where = (one.attributes[0], attribute) if worn else (one.portrait, portrait)
            centres = (np.arange(len(of_part)) + 0.5) * SIZE / len(of_part)
            there = moved((x, y), where)
            near = np.hypot(centres[None] - there[0], centres[:, None] - there[1]) < NEAR
            share = of_part.sum()
            found["attribute" if worn else "portrait"].append((share, of_part[near].sum() / share, near.mean()))
    for what, values in found.items():
        share, near, chance = np.mean(values, axis=0)
        print(
            f"{when}, places that the {what} shows: {share:.0%} of attention goes to it, "
            f"{near:.0%} of that within {NEAR} px of the place ({chance:.0%} by chance)",
            flush=True,
        )


def draw(pipeline: DurianPipeline, picture: Picture, path: Path) -> None:
    """One row per point of the target: what it attends to in the frame itself and in the two references."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    random = np.random.default_rng(FIGURE_SEED)
    target, portrait, attribute = (view(picture.pixels, random) for _ in range(3))
    points = [moved(place, target) for place in PLACES]
    maps, noisy = looked_at(pipeline, target, portrait, attribute, points, FIGURE_SEED)
    seen = next(pipeline.decode_latents(as_video(noisy)))
    columns = ("target", "the frame itself, still noise", "portrait reference", "attribute reference")
    figure, rows = plt.subplots(len(maps), len(columns), figsize=(9, 2.45 * len(maps)), dpi=110)
    for axes, place, one in zip(rows, PLACES, maps):
        parts = (one.own, one.portrait, one.attributes[0])
        hottest = max(part.max() for part in parts)
        shown = (target.image, seen, without(portrait, portrait.mask), without(attribute, 255 - attribute.mask))
        for axis, image in zip(axes, shown):
            axis.imshow(image, extent=(0, SIZE, SIZE, 0))
            axis.set_axis_off()
        for axis, part in zip(axes[1:], parts):
            heat = plt.get_cmap("inferno")(part / hottest)
            heat[..., 3] = 0.15 + 0.75 * np.sqrt(part / hottest)
            axis.imshow(heat, extent=(0, SIZE, SIZE, 0), interpolation="nearest")
            axis.set_title(f"{part.sum():.0%}", fontsize=10, pad=3)
        for axis in axes[:2]:
            axis.plot(*one.point, "o", color="white", markeredgecolor="black", markersize=8)
        for axis, where in zip(axes[2:], (portrait, attribute)):
            axis.plot(*moved(place, where), "o", color="cyan", markersize=14, markerfacecolor="none")
            axis.set(xlim=(0, SIZE), ylim=(SIZE, 0))
    for axis, title in zip(rows[0], columns):
        axis.text(0.5, 1.15, title, transform=axis.transAxes, ha="center", fontsize=10, weight="bold")
    figure.subplots_adjust(0.01, 0.01, 0.99, 0.92, 0.04, 0.12)
    figure.savefig(path, pil_kwargs={"optimize": True})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--batch", type=int, default=6, help="pairs of references in a step")
    parser.add_argument("--autoencoder-steps", type=int, default=300)
    parser.add_argument("--output", type=Path, default=Path("docs/attention.png"))
    arguments = parser.parse_args()
    torch.manual_seed(0)
    random = np.random.default_rng(0)
    found = pictures()
    chosen = [picture for picture in found if picture.name != HELD_OUT]
    pipeline = make_pipeline()
    train_autoencoder(pipeline, chosen, arguments.autoencoder_steps, random)
    unseen = next(picture for picture in found if picture.name == HELD_OUT)
    measure(pipeline, unseen, "untrained")
    train(pipeline, chosen, arguments.steps, arguments.batch, random)
    measure(pipeline, unseen, "trained")
    draw(pipeline, unseen, arguments.output)


if __name__ == "__main__":
    main()
