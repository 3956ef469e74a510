"""Models that begin with drafts: correct parts of a draft stay, and the renderer makes drafts by the preview."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from diffusion_made import SIZE, attribute, frames_of, half_mask, kept_estimates, picture, pictures, tiny_pipeline
from requests_made import disc, portrait, request

from durian.diffusion.detail import keep_detail
from durian.diffusion.inputs import prepare_inputs
from durian.diffusion.latents import decode
from durian.diffusion.output import as_frames, as_video
from durian.diffusion.pipeline import DurianPipeline
from durian.errors import InvalidRequest
from durian.preview.renderer import PreviewRenderer

KEYPOINTS, DRAFT = pictures(4, 7), pictures(5, 7)


def with_references(pipeline: DurianPipeline) -> DurianPipeline:
    pipeline.set_progress_bar_config(disable=True)
    pipeline.set_references(picture(1), half_mask(), [attribute(2)], portrait_keypoints=picture(51))
    return pipeline


@pytest.fixture(scope="module")
def pipeline() -> DurianPipeline:
    return with_references(tiny_pipeline(drafts=True))


@torch.no_grad()
def test_where_the_model_changes_nothing_frames_are_the_drafts():
    pipeline = with_references(tiny_pipeline(drafts=True, steps=3))
    final = pipeline.denoiser.unet.conv_out
    torch.nn.init.zeros_(final.weight)
    torch.nn.init.zeros_(final.bias)
    estimates = []
    latents = pipeline.denoise(KEYPOINTS, draft=DRAFT, guidance_scale=1.0, **kept_estimates(estimates))
    # A velocity of nought at the last timestep, which is noise alone, says that there is no difference.
    wanted = as_video(pipeline.encoded(DRAFT))
    assert float((estimates[0] - wanted).abs().max()) < 1e-5
    assert latents.shape == wanted.shape


def test_frames_follow_their_own_drafts(pipeline):
    options = {"guidance_scale": 1.0, "window": 1, "overlap": 0}
    frames = frames_of(pipeline, KEYPOINTS, draft=DRAFT, **options)
    other = DRAFT.copy()
    other[3] = picture(99)
    changed = frames_of(pipeline, KEYPOINTS, draft=other, **options)
    differs = [not np.array_equal(one, two) for one, two in zip(frames, changed)]
    assert differs == [False, False, False, True, False, False, False]


def test_with_a_scaled_input_one_step_knows_no_noise():
    """Nothing but noise, times nothing: the seed changes no frame, and with more steps it does."""
    pipeline = with_references(tiny_pipeline(drafts=True, scale_input=True, guidance_scale=1.0))

    def made(seed: int, steps: int) -> torch.Tensor:
        return pipeline.denoise(KEYPOINTS, draft=DRAFT, seed=seed, num_inference_steps=steps)

    one, other, more, again = made(1, 1), made(2, 1), made(1, 3), made(2, 3)
    # The result of diffusers' v-prediction at a timestep of noise alone is minus the velocity, without the noise.
    assert torch.allclose(one, other, atol=1e-5)
    assert float((more - again).abs().max()) > 1e-3


def test_guidance_shows_drafts_to_both_halves(pipeline):
    apart = pipeline.denoise(KEYPOINTS, draft=DRAFT, guidance_scale=2.0)
    together = pipeline.denoise(KEYPOINTS, draft=DRAFT, guidance_scale=2.0, guide_in_one_batch=True)
    assert float((apart - together).abs().max()) < 1e-4


def test_estimates_include_the_draft(pipeline):
    """The last step's estimate is what is decoded."""
    seen = []
    latents = pipeline.denoise(KEYPOINTS, draft=DRAFT, **kept_estimates(seen))
    last = np.stack(list(decode(pipeline.vae, as_frames(seen[-1]), 4)))
    assert np.abs(last.astype(int) - np.stack(list(pipeline.decode_latents(latents))).astype(int)).max() <= 1


@pytest.mark.parametrize(
    ("drafts", "given", "sentence"),
    [
        (True, None, "begins with drafts"),
        (False, DRAFT, "takes none"),
        (True, DRAFT[:3], r"uint8 \(3, 32, 32, 3\): give uint8 \(7, 32, 32, 3\)"),
        (True, DRAFT[:, :16, :16], "larger squares"),
        (True, DRAFT[:, :, :16], "larger squares"),
        (True, DRAFT.astype(np.float32), "float32"),
    ],
)
def test_drafts_that_do_not_fit_are_refused_in_one_sentence(drafts, given, sentence):
    pipeline = with_references(tiny_pipeline(drafts=drafts))
    with pytest.raises(InvalidRequest, match=sentence):
        pipeline(KEYPOINTS, draft=given)


def test_detail_stays_where_nothing_is_changed():
    """A draft twice as large: its left half, which the model leaves as it is, comes back pixel for pixel."""
    random = np.random.default_rng(0)
    draft = random.integers(60, 200, (512, 512, 3), dtype=np.uint8)
    restored = np.full((256, 256, 3), 120, np.uint8)
    made = restored.copy()
    made[:, 128:] = 220
    frame = keep_detail(made, restored, draft)
    assert frame.shape == draft.shape
    assert np.array_equal(frame[:, :150], draft[:, :150])
    assert (frame[:, 290:] == 220).all()
    assert np.array_equal(keep_detail(restored, restored, draft), draft)


def test_a_change_of_light_is_given_to_the_draft_and_a_soft_edge_is_not():
    draft = np.random.default_rng(1).integers(60, 200, (256, 256, 3), dtype=np.uint8)
    restored = np.full((256, 256, 3), 120, np.uint8)
    assert np.array_equal(keep_detail(restored + 6, restored, draft), draft + 6)
    edge = np.zeros((256, 256, 3), np.uint8)
    edge[:, 128:] = 60
    soft = cv2.GaussianBlur(edge, (0, 0), 1.5)
    frame = keep_detail(soft, edge, edge)
    assert np.abs(frame.astype(int) - edge).max() < 15 < np.abs(soft.astype(int) - edge).max()


def test_larger_drafts_give_larger_frames(pipeline):
    large = np.stack([np.kron(frame, np.ones((2, 2, 1), np.uint8)) for frame in DRAFT])
    frames = frames_of(pipeline, KEYPOINTS, draft=large)
    assert frames.shape == large.shape
    assert float((pipeline.denoise(KEYPOINTS, draft=large) - pipeline.denoise(KEYPOINTS, draft=DRAFT)).abs().max()) == 0


def test_the_renderer_makes_drafts_by_the_preview():
    known = {"hat": disc(radius=9), "hair": disc(radius=12), "glasses": disc(radius=5)}
    asked = request(frames=6, renderer="diffusion", portrait=portrait(worn=known), size=64)
    expected = np.stack(list(PreviewRenderer().render(asked)))
    assert np.array_equal(prepare_inputs(asked, 64, with_draft=True).draft, expected)
    # A smaller model is still given drafts of the size that was asked for.
    assert np.array_equal(prepare_inputs(asked, SIZE, with_draft=True).draft, expected)
    assert prepare_inputs(asked, SIZE).draft is None
    still = prepare_inputs(asked, 64, frame=4, with_draft=True).draft
    assert still.shape == (1, 64, 64, 3)
    assert np.abs(still[0].astype(int) - expected[4]).mean() < 2
