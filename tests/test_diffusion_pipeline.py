"""The whole pipeline with tiny real models: frames depend on the intended inputs and on nothing else."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from diffusion_made import (
    SIZE,
    TOKEN_WIDTH,
    attribute,
    frames_of,
    half_mask,
    image_model,
    kept_estimates,
    picture,
    pictures,
    tiny_autoencoder,
    tiny_clip,
    tiny_pipeline,
    tiny_reference_net,
)
from diffusion_plain import plain_denoiser

from durian.diffusion.coding import ENCODED_TOGETHER
from durian.diffusion.conditioning import Conditioner
from durian.diffusion.latents import encode
from durian.diffusion.noise import initial_noise
from durian.diffusion.output import as_frames
from durian.diffusion.pipeline import DurianPipeline
from durian.diffusion.reference_inputs import masked
from durian.diffusion.references import References
from durian.errors import Cancelled, InvalidRequest

FIRST, SECOND = attribute(2), attribute(3)
KEYPOINTS = pictures(4, 7)
"""Two windows and more: the tiny pipeline's take 4 frames and overlap by 2."""


def with_references(pipeline: DurianPipeline, *attributes, blend: bool = False) -> DurianPipeline:
    pipeline.set_progress_bar_config(disable=True)
    pipeline.set_references(picture(1), half_mask(), attributes, blend=blend, portrait_keypoints=picture(51))
    return pipeline


def frames(pipeline: DurianPipeline, keypoints: np.ndarray = KEYPOINTS, **options) -> np.ndarray:
    return frames_of(pipeline, keypoints, **options)


def levels(one: np.ndarray, other: np.ndarray) -> int:
    """Largest difference, of 255."""
    assert one.shape == other.shape
    return int(np.abs(one.astype(int) - other).max())


@pytest.fixture(scope="module")
def pipeline() -> DurianPipeline:
    return with_references(tiny_pipeline(), FIRST)


# Against a clip written out


@torch.no_grad()
@pytest.mark.parametrize("drop_outside_masks", [False, True])
def test_a_clip_is_what_the_written_out_loop_makes(drop_outside_masks):
    """Two guided DDIM steps of one window, with plain attention, each half of guidance by itself."""
    pipeline = with_references(tiny_pipeline(drop_outside_masks=drop_outside_masks), replace(FIRST, strength=0.4))
    conditioner, keypoints = pipeline.conditioner, KEYPOINTS[:3]

    def features(net, image, mask, drawn):
        pixels, inside, drawn = (
            torch.from_numpy(x).reshape(1, SIZE, SIZE, -1).permute(0, 3, 1, 2) / 255 for x in (image, mask, drawn)
        )
        latents = encode(pipeline.vae, (2 * pixels - 1) * inside)
        return net(latents, torch.nn.functional.avg_pool2d(inside, 8), keypoints=drawn)

    portrait = features(pipeline.portrait_reference_net, picture(1), 255 - half_mask(), picture(51))
    worn = features(pipeline.attribute_reference_net, FIRST.image, FIRST.mask, FIRST.keypoints)
    log_weight = torch.tensor([0.4]).log()
    tokens = conditioner.denoiser_tokens(
        [conditioner.of_attribute(worn)], conditioner.of_portrait(portrait), [log_weight]
    )
    parts = (portrait.reference(drop_outside_masks), worn.reference(drop_outside_masks, log_weight))
    conditional = plain_denoiser(pipeline.denoiser, References(parts))
    unconditional = plain_denoiser(pipeline.denoiser, None)
    guidance = pipeline.guider(torch.from_numpy(keypoints).permute(0, 3, 1, 2) / 255)

    latents = initial_noise((4, 4, 4), 3, seed=5)
    alphas = pipeline.scheduler.alphas_cumprod
    for timestep, alpha, next_alpha in ((999, alphas[999], alphas[499]), (499, alphas[499], torch.tensor(1.0))):
        with_all = conditional(latents, timestep, tokens, frames=3, guidance=guidance)
        with_none = unconditional(latents, timestep, conditioner.denoiser_tokens([], None), frames=3, guidance=guidance)
        velocity = with_none + 2.5 * (with_all - with_none)
        original = alpha.sqrt() * latents - (1 - alpha).sqrt() * velocity
        noise = (1 - alpha).sqrt() * latents + alpha.sqrt() * velocity
        latents = next_alpha.sqrt() * original + (1 - next_alpha).sqrt() * noise
    found = as_frames(pipeline.denoise(keypoints, seed=5, guidance_scale=2.5, num_inference_steps=2))
    assert float((found - latents).abs().max()) < 1e-4 * float(latents.abs().max())


# What frames depend on


def test_frames_do_not_depend_on_how_many_are_made_at_once(pipeline):
    expected = frames(pipeline)
    for options in (
        {"window_batch": 2},
        {"window_batch": 8, "decode_chunk_size": 7},
        {"decode_chunk_size": 1, "guide_in_one_batch": True},
    ):
        assert levels(frames(pipeline, **options), expected) <= 1
    assert np.array_equal(frames(pipeline), expected)
    assert levels(frames(pipeline, seed=1), expected) > 10


def test_any_number_of_pictures_has_one_latent_each(pipeline):
    many = pictures(9, ENCODED_TOGETHER + 3)
    each = torch.cat([pipeline.encoded(one[None]) for one in many])
    torch.testing.assert_close(pipeline.encoded(many), each, atol=1e-5, rtol=1e-4)


def test_a_distilled_sampler_goes_without_guidance(pipeline):
    plain = pipeline.denoise(KEYPOINTS, sampler="lcm", guidance_scale=1)
    assert torch.equal(pipeline.denoise(KEYPOINTS, sampler="lcm", guidance_scale=5), plain)
    assert not torch.allclose(pipeline.denoise(KEYPOINTS, guidance_scale=5), pipeline.denoise(KEYPOINTS), atol=1e-2)


def test_without_windows_of_several_frames_a_frame_knows_no_other(pipeline):
    assert levels(frames(pipeline, window=1)[:2], frames(pipeline, KEYPOINTS[:2], window=1)) <= 1
    # In one window each frame sees all, so that another end changes the beginning.
    assert levels(frames(pipeline, window=4)[:2], frames(pipeline, KEYPOINTS[:2], window=4)) > 1


def test_frames_follow_keypoints_portrait_and_attributes():
    pipeline = with_references(tiny_pipeline(), FIRST)
    expected = pipeline.denoise(KEYPOINTS)

    def changed() -> float:
        return float((pipeline.denoise(KEYPOINTS) - expected).abs().max())

    assert float((pipeline.denoise(pictures(5, 7)) - expected).abs().max()) > 1e-3
    pipeline.set_references(picture(8), half_mask(), [FIRST], portrait_keypoints=picture(51))
    assert changed() > 1e-3
    with_references(pipeline, SECOND)
    assert changed() > 1e-3
    # Nothing is left of what was set in between.
    with_references(pipeline, FIRST)
    assert changed() == 0


def test_a_portrait_inside_its_hole_and_an_attribute_outside_its_mask_are_never_seen(pipeline):
    expected = frames(pipeline)
    inside, outside = half_mask() == 255, half_mask("right") == 0
    image, item = picture(1), FIRST.image.copy()
    image[inside], item[outside] = 77, 200
    other = tiny_pipeline()
    other.set_progress_bar_config(disable=True)
    worn = replace(FIRST, image=item)
    other.set_references(image, half_mask(), [worn], portrait_keypoints=picture(51))
    assert np.array_equal(frames(other), expected)


def test_attributes_come_in_any_order_and_those_of_strength_0_not_at_all():
    pipeline, third = tiny_pipeline(), attribute(6, strength=0.3)
    expected = frames(with_references(pipeline, FIRST, SECOND, third))
    assert levels(frames(with_references(pipeline, third, SECOND, FIRST)), expected) <= 1
    gone = replace(SECOND, strength=0.0)
    without = pipeline.denoise(KEYPOINTS) if with_references(pipeline, FIRST, third) else None
    assert torch.equal(with_references(pipeline, FIRST, gone, third).denoise(KEYPOINTS), without)
    none = with_references(pipeline).denoise(KEYPOINTS)
    assert torch.equal(with_references(pipeline, gone).denoise(KEYPOINTS), none)
    assert float((none - without).abs().max()) > 1e-3


@pytest.mark.parametrize("drop_outside_masks", [False, True])
def test_a_blend_of_0_or_1_is_one_attribute_alone(drop_outside_masks):
    pipeline = tiny_pipeline(drop_outside_masks=drop_outside_masks)
    one, other = (with_references(pipeline, worn).denoise(KEYPOINTS) for worn in (FIRST, SECOND))
    with_references(pipeline, FIRST, SECOND, blend=True)
    assert torch.allclose(pipeline.denoise(KEYPOINTS, blend=np.zeros(7, np.float32)), one, atol=1e-4)
    assert torch.allclose(pipeline.denoise(KEYPOINTS, blend=np.ones(7, np.float32)), other, atol=1e-4)
    assert float((one - other).abs().max()) > 1e-3


def test_a_blend_per_frame_is_each_frame_with_its_own():
    pipeline = tiny_pipeline()
    image_model(pipeline.denoiser)
    with_references(pipeline, FIRST, SECOND, blend=True)
    alphas = np.linspace(0, 1, 7, dtype=np.float32)
    together = as_frames(pipeline.denoise(KEYPOINTS, blend=alphas, window_batch=2))
    for frame, alpha in enumerate(alphas):
        alone = as_frames(pipeline.denoise(KEYPOINTS, blend=np.full(7, alpha)))
        assert torch.allclose(together[frame], alone[frame], atol=1e-4)


def test_a_mask_without_a_pixel_is_no_error():
    pipeline = tiny_pipeline(drop_outside_masks=True)
    nothing = replace(FIRST, mask=np.zeros_like(FIRST.mask))
    pipeline.set_references(picture(1), np.full_like(half_mask(), 255), [nothing], portrait_keypoints=picture(51))
    assert torch.isfinite(pipeline.denoise(KEYPOINTS)).all()


# Conditioned by CLIP


def test_clip_sees_the_masked_pictures():
    torch.manual_seed(0)
    encoder, processor = tiny_clip()
    parts = tiny_pipeline().components | {
        "image_encoder": encoder,
        "image_processor": processor,
        "conditioner": Conditioner("clip", TOKEN_WIDTH, TOKEN_WIDTH, TOKEN_WIDTH).eval(),
        "attribute_reference_net": tiny_reference_net(TOKEN_WIDTH, keypoints=False),
        "portrait_reference_net": tiny_reference_net(TOKEN_WIDTH, keypoints=False),
    }
    pipeline = DurianPipeline(**parts, size=SIZE, steps=2, window=4, overlap=2)
    pipeline.set_progress_bar_config(disable=True)
    pipeline.set_references(picture(1), half_mask(), [FIRST])
    (found,) = pipeline.encoded_references.attributes

    def distance(picture_seen: np.ndarray) -> float:
        with torch.no_grad():
            expected = encoder(processor(picture_seen, return_tensors="pt").pixel_values).image_embeds
        return float((found[:, 0] - expected).abs().max())

    # The processor rounds to whole levels.
    assert distance(np.where(FIRST.mask[..., None] > 0, FIRST.image, 127)) < 0.01
    assert distance(FIRST.image) > 0.1
    pipeline.register_modules(image_encoder=None)
    with pytest.raises(InvalidRequest, match="conditioned by CLIP: load its image_encoder"):
        pipeline.set_references(picture(1), half_mask(), [FIRST])


def test_what_is_masked_out_becomes_grey():
    pixels = torch.tensor([-1.0, 0.5, 1.0]).reshape(1, 3, 1, 1)
    for inside, expected in ((1.0, [-1.0, 0.5, 1.0]), (0.5, [-0.5, 0.25, 0.5]), (0.0, [0.0, 0.0, 0.0])):
        assert masked(pixels, torch.full((1, 1, 1, 1), inside)).flatten().tolist() == expected


# Disk, precision, callbacks


def test_a_saved_pipeline_makes_the_same_frames(pipeline, tmp_path):
    pipeline.save_pretrained(tmp_path)
    weights = {path.name for path in tmp_path.rglob("*") if path.is_file() and path.suffix != ".json"}
    assert weights == {"diffusion_pytorch_model.safetensors"}
    loaded = with_references(DurianPipeline.from_pretrained(tmp_path, use_safetensors=True), FIRST)
    assert dict(loaded.config).items() >= {"steps": 2, "window": 4, "size": SIZE}.items()
    # The same numbers at other addresses: kernels may round the last bit otherwise.
    assert levels(frames(loaded), frames(pipeline)) <= 1


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.bfloat16, 0.05), (torch.float16, 0.01)])
def test_half_precision_is_close(pipeline, dtype, tolerance):
    """Latents after two guided steps: root mean square error below 5 % (bfloat16, 8 bits) and 1 % (float16, 11)."""
    expected = pipeline.denoise(KEYPOINTS)
    half = with_references(tiny_pipeline().to(dtype), FIRST)
    found = half.denoise(KEYPOINTS)
    assert found.dtype == dtype
    assert float((found.float() - expected).square().mean().sqrt()) < tolerance * float(expected.square().mean().sqrt())
    assert next(half.decode_latents(found)).dtype == np.uint8


def test_steps_can_be_watched_and_stopped(pipeline):
    seen = []

    def watch(of, index, timestep, tensors):
        assert of is pipeline
        assert torch.isfinite(tensors["latents"]).all()
        seen.append((index, of.num_timesteps, int(timestep)))

    frames(pipeline, num_inference_steps=4, callback_on_step_end=watch)
    assert seen == [(0, 4, 999), (1, 4, 749), (2, 4, 499), (3, 4, 249)]
    seen.clear()
    with pytest.raises(Cancelled, match="after step 2 of 4"):
        frames(pipeline, num_inference_steps=4, callback_on_step_end=watch, cancelled=lambda: len(seen) == 2)
    assert len(seen) == 2


def test_a_preview_is_the_estimate_decoded_by_the_tiny_decoder_where_there_is_one():
    torch.manual_seed(3)
    pipeline = with_references(tiny_pipeline(), FIRST)
    estimates = []
    pipeline.denoise(KEYPOINTS, **kept_estimates(estimates))
    last = list(pipeline.decode_latents(estimates[-1]))
    assert np.array_equal(pipeline.preview(estimates[-1], [4, 1]), [last[4], last[1]])
    pipeline.register_modules(tiny_vae=tiny_autoencoder())
    assert levels(pipeline.preview(estimates[-1], [4])[0], last[4]) > 1


# What does not fit


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"keypoints": KEYPOINTS[0]}, "keypoint images are uint8 (32, 32, 3): give uint8 (frames, 32, 32, 3)."),
        ({"keypoints": KEYPOINTS / 255}, "keypoint images are float64"),
        ({"keypoints": KEYPOINTS[:, :16, :16]}, "keypoint images are uint8 (7, 16, 16, 3)"),
        ({"keypoints": KEYPOINTS[:0]}, "no keypoint image: give at least one frame."),
        ({"guidance_scale": -1}, "guidance scale of -1 is out of range: give 0 to 30."),
        ({"guidance_scale": 31}, "guidance scale of 31 is out of range"),
        ({"guidance_scale": float("nan")}, "guidance scale of nan is out of range"),
        ({"window": 0}, "window of 0 frames is not possible: this model takes 1 to 8."),
        ({"keypoints": pictures(1, 9), "window": 9}, "window of 9 frames is not possible"),
        ({"overlap": -1}, "cannot overlap by -1: choose 0 to 3."),
        ({"num_inference_steps": 0}, "0 sampling steps were asked for: choose 1 to 1000."),
        ({"sampler": "heun"}, "Sampler 'heun' is not known: use ddim, dpm++, euler or lcm."),
        ({"window_batch": 0}, "0 windows at a time were asked for"),
        ({"decode_chunk_size": 0}, "Decoding 0 frames at a time was asked for: choose 1 or more."),
        ({"seed": -1}, "A seed of -1 was given: choose 0 or more."),
        ({"blend": np.zeros(7, np.float32)}, "set them with blend=True."),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_call_that_does_not_fit_is_refused_in_one_sentence(pipeline, options, sentence):
    with pytest.raises(InvalidRequest, match=re.escape(sentence)):
        frames(pipeline, **options)


@pytest.mark.parametrize("blend", [None, np.zeros(6), np.full(7, 1.5), np.full(7, -0.1), np.full(7, np.nan)])
def test_a_blend_that_does_not_fit_is_refused(blend):
    pipeline = with_references(tiny_pipeline(), FIRST, SECOND, blend=True)
    with pytest.raises(InvalidRequest, match="α"):
        frames(pipeline, blend=blend)


SMALL = np.zeros((16, 16, 3), np.uint8)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"portrait": SMALL}, "picture of the portrait is uint8 (16, 16, 3): this model takes uint8 (32, 32, 3)."),
        ({"portrait": picture(1) / 255}, "picture of the portrait is float64"),
        ({"portrait_hole": picture(1)}, "mask of the portrait is uint8 (32, 32, 3): this model takes uint8 (32, 32)."),
        ({"portrait_hole": half_mask() > 0}, "mask of the portrait is bool"),
        ({"portrait_keypoints": None}, "reference nets see keypoints: give those of the portrait."),
        ({"portrait_keypoints": SMALL}, "keypoint image of the portrait is uint8 (16, 16, 3)"),
        ({"attributes": [FIRST, replace(SECOND, image=SMALL)]}, "picture of the attribute 2 is uint8 (16, 16, 3)"),
        ({"attributes": [replace(FIRST, mask=SMALL)]}, "mask of the attribute 1 is uint8"),
        ({"attributes": [replace(FIRST, keypoints=None)]}, "give those of the attribute 1."),
        ({"attributes": [replace(FIRST, strength=1.1)]}, "Strength 1.1 is out of range: give a value from 0 to 1."),
        ({"attributes": [replace(FIRST, strength=float("nan"))]}, "Strength nan is out of range"),
        ({"attributes": [FIRST], "blend": True}, "exactly two attributes, not 1."),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_references_that_do_not_fit_are_refused_in_one_sentence(change, sentence):
    given = {
        "portrait": picture(1),
        "portrait_hole": half_mask(),
        "attributes": [FIRST],
        "portrait_keypoints": picture(51),
    }
    with pytest.raises(InvalidRequest, match=re.escape(sentence)):
        tiny_pipeline().set_references(**(given | change))


def test_a_call_before_references_is_refused():
    with pytest.raises(InvalidRequest, match="call set_references before"):
        tiny_pipeline()(KEYPOINTS)


# On a GPU


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_offloaded_and_whole_pipelines_on_a_gpu_make_the_frames_of_the_cpu(pipeline):
    expected = pipeline.denoise(KEYPOINTS)
    whole = with_references(tiny_pipeline().to("cuda"), FIRST)
    on_gpu = whole.denoise(KEYPOINTS, seed=0)
    assert torch.allclose(on_gpu.cpu(), expected, atol=1e-2 * float(expected.abs().max()))
    offloaded = tiny_pipeline()
    offloaded.enable_model_cpu_offload()
    made = frames(with_references(offloaded, FIRST))
    assert levels(made, frames(whole)) <= 1
    parts = (offloaded.vae, offloaded.denoiser, offloaded.guider, offloaded.attribute_reference_net)
    assert all(part.device.type == "cpu" for part in parts)
