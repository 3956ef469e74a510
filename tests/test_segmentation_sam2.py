"""SAM 2.1 through transformers' real model, tiny: its folder, embeddings per content, prompts in its square."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import Sam2Config, Sam2HieraDetConfig, Sam2Model, Sam2VisionConfig

from durian.errors import InvalidRequest, WeightsMissing
from durian.segmentation import available_segmenters, get_segmenter, sam2

SIDE = 64


def tiny_sam2() -> Sam2Model:
    """One block a stage, and one that sees everything; 64 px."""
    torch.manual_seed(0)
    backbone = Sam2HieraDetConfig(
        hidden_size=8,
        image_size=[SIDE, SIDE],
        blocks_per_stage=[1, 1, 2, 1],
        embed_dim_per_stage=[8, 16, 32, 64],
        num_attention_heads_per_stage=[1, 1, 2, 2],
        window_size_per_stage=[4, 2, 2, 2],
        global_attention_blocks=[3],
        window_positional_embedding_background_size=[2, 2],
    )
    vision = Sam2VisionConfig(
        backbone_config=backbone,
        backbone_channel_list=[64, 32, 16, 8],
        backbone_feature_sizes=[[16, 16], [8, 8], [4, 4]],
        fpn_hidden_size=16,
    )
    prompts = {"hidden_size": 16, "image_size": SIDE, "patch_size": 16, "mask_input_channels": 4}
    decoder = {"hidden_size": 16, "mlp_dim": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    decoder["iou_head_hidden_dim"] = 16
    config = Sam2Config(vision_config=vision, prompt_encoder_config=prompts, mask_decoder_config=decoder)
    return Sam2Model(config).eval()


@pytest.fixture
def folder(tmp_path: Path, settings_environment) -> Path:
    settings_environment(weights=tmp_path, device="cpu")
    sam2._embeddings.clear()
    sam2.load_sam2.cache_clear()
    tiny_sam2().save_pretrained(tmp_path / "sam2.1-tiny")
    return tmp_path / "sam2.1-tiny"


@pytest.fixture
def picture() -> np.ndarray:
    return np.random.default_rng(3).integers(0, 255, (48, 80, 3), dtype=np.uint8)


def built_in() -> str:
    """The segmenter that needs none of the folder's weights."""
    return available_segmenters()[0]


def test_it_is_offered_where_its_folder_is_and_never_chosen_by_itself(folder):
    assert available_segmenters()[1:] == ("sam2",)
    assert get_segmenter("auto").name == built_in() != "sam2"
    assert get_segmenter("sam2").name == "sam2"


def test_a_click_gives_a_mask_of_the_pictures_size_with_the_click_inside(folder, picture):
    segmenter = sam2.Sam2Segmenter()
    segmenter.set_image(picture)
    mask = segmenter.predict(np.array([[70, 5], [3, 40]]), np.array([1, 0]))
    assert (mask.shape, mask.dtype) == ((48, 80), np.uint8)
    assert mask[5, 70] > 127
    assert mask[40, 3] <= 127


def test_its_answer_is_the_models_own_for_the_stretched_picture(folder, picture):
    """Asked the model itself, from pixels, with the click where the stretching puts it."""
    segmenter = sam2.Sam2Segmenter(folder)
    segmenter.set_image(picture)
    mask, low = segmenter._ask(np.array([[59.5, 11.5]]), np.array([1]), None, None)
    pixels = torch.from_numpy(picture).permute(2, 0, 1)[None].float() / 255
    pixels = torch.nn.functional.interpolate(pixels, (SIDE, SIDE), mode="bilinear", antialias=True)
    mean, spread = (torch.tensor(values)[:, None, None] for values in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    with torch.no_grad():
        # Three quarters across, a quarter down: 48 - 0.5 and 16 - 0.5 of 64.
        click = torch.tensor([[[[47.5, 15.5]]]])
        answer = tiny_sam2()(pixel_values=(pixels - mean) / spread, input_points=click, multimask_output=True)
    best = int(answer.iou_scores[0, 0].argmax())
    assert np.allclose(low[0], answer.pred_masks[0, 0, best], atol=1e-4)
    large = torch.nn.functional.interpolate(answer.pred_masks[:, 0, best : best + 1], (48, 80), mode="bilinear")
    assert np.abs(mask.astype(float) - 255 * torch.sigmoid(large[0, 0]).numpy()).max() <= 1


def test_the_embedding_is_computed_once_per_content(folder, picture, monkeypatch):
    segmenter, other = sam2.Sam2Segmenter(), sam2.Sam2Segmenter()
    calls, encode = [], segmenter._model.get_image_embeddings
    monkeypatch.setattr(segmenter._model, "get_image_embeddings", lambda pixels: calls.append(1) or encode(pixels))
    segmenter.set_image(picture)
    other.set_image(picture.copy())
    assert len(calls) == 1
    click = np.array([[40, 20]]), np.array([1])
    first = segmenter.predict(*click)
    assert np.array_equal(first, other.predict(*click))
    other.set_image(255 - picture)
    assert len(calls) == 2


def test_masks_and_boxes_are_prompts_too(folder, picture):
    segmenter = sam2.Sam2Segmenter()
    segmenter.set_image(picture)
    start = np.zeros((48, 80), np.uint8)
    start[:, 40:] = 255
    logits = segmenter._as_logits(start)
    assert logits.shape == (1, 16, 16)
    assert (logits[0, :, 9:] > 0).all()
    assert (logits[0, :, :7] < 0).all()
    # Two clicks, so that all three are asked for one mask.
    clicks = np.array([[60.0, 20.0], [62.0, 22.0]]), np.array([1, 1])
    alone, again = (segmenter._ask(*clicks, None, prompt)[1] for prompt in (None, logits))
    boxed = segmenter._ask(*clicks, (40, 0, 79, 47), logits)[1]
    assert alone.shape == again.shape == boxed.shape == (1, 16, 16)
    assert not np.array_equal(alone, again)
    assert not np.array_equal(boxed, again)


def test_what_is_missing_or_broken_is_one_sentence(folder):
    with pytest.raises(InvalidRequest, match="use auto, parser, classic, sam or sam2"):
        get_segmenter("sam3")
    weights = load_file(folder / "model.safetensors")
    lacking = min(weights)
    kept = {name: value for name, value in weights.items() if name != lacking}
    save_file(kept, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(WeightsMissing, match=rf"in sam2\.1-tiny lacks tensors such as {lacking}: put the files of"):
        get_segmenter("sam2")
    (folder / "model.safetensors").write_bytes(b"not weights")
    with pytest.raises(WeightsMissing, match=r"in sam2\.1-tiny cannot be opened: put the files of facebook/sam2\.1"):
        get_segmenter("sam2")
    (folder / "model.safetensors").unlink()
    assert available_segmenters() == (built_in(),)
    with pytest.raises(WeightsMissing, match=r"no SAM 2\.1 in weights: put the files of"):
        get_segmenter("sam2")
