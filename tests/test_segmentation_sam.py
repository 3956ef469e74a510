"""SAM through its real modules, tiny: loader, embedding cache, prompts, the torchvision stand-ins."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from durian.errors import WeightsMissing
from durian.segmentation import available_segmenters, get_segmenter, sam
from durian.segmentation.torchvision_parts import batched_nms, box_area, import_segment_anything

torch = pytest.importorskip("torch")
SIDE, CHANNELS = 64, 16


def tiny_sam():
    """A real Sam of the package's own modules: 64 px, one block, 16 channels."""
    package = import_segment_anything()
    modeling = sys.modules[f"{package.__name__}.modeling"]
    torch.manual_seed(0)
    return modeling.Sam(
        image_encoder=modeling.ImageEncoderViT(
            img_size=SIDE, patch_size=16, embed_dim=CHANNELS, depth=1, num_heads=2, out_chans=CHANNELS, use_rel_pos=True
        ),
        prompt_encoder=modeling.PromptEncoder(
            embed_dim=CHANNELS, image_embedding_size=(4, 4), input_image_size=(SIDE, SIDE), mask_in_chans=4
        ),
        mask_decoder=modeling.MaskDecoder(
            num_multimask_outputs=3,
            transformer=modeling.TwoWayTransformer(depth=1, embedding_dim=CHANNELS, mlp_dim=32, num_heads=2),
            transformer_dim=CHANNELS,
            iou_head_hidden_dim=16,
        ),
        pixel_mean=[123.675, 116.28, 103.53],
        pixel_std=[58.395, 57.12, 57.375],
    )


@pytest.fixture
def checkpoint(tmp_path):
    path = tmp_path / "sam_vit_b_tiny.pth"
    torch.save(tiny_sam().state_dict(), path)
    sam._embeddings.clear()
    return path


@pytest.fixture
def segmenter(checkpoint):
    return sam.SamSegmenter(checkpoint, builder=tiny_sam, device="cpu")


@pytest.fixture
def picture():
    return np.random.default_rng(3).integers(0, 255, (48, 80, 3), dtype=np.uint8)


def test_the_loaded_weights_are_the_saved_ones(checkpoint):
    torch.manual_seed(5)
    saved = {name: value + 0.5 for name, value in tiny_sam().state_dict().items()}
    torch.save(saved, checkpoint)
    model = sam.load_sam(checkpoint, tiny_sam)
    assert all(torch.equal(value, saved[name]) for name, value in model.state_dict().items())
    assert not model.training


def test_a_click_gives_a_mask_of_the_pictures_size_with_the_click_inside(segmenter, picture):
    segmenter.set_image(picture)
    mask = segmenter.predict(np.array([[70, 5], [3, 40]]), np.array([1, 0]))
    assert mask.shape == (48, 80)
    assert mask.dtype == np.uint8
    assert mask[5, 70] > 127
    assert mask[40, 3] <= 127


def test_the_embedding_is_computed_once_per_content(segmenter, checkpoint, picture, monkeypatch):
    calls = []
    encoder = segmenter._model.image_encoder
    monkeypatch.setattr(encoder, "forward", lambda x, original=encoder.forward: calls.append(1) or original(x))
    segmenter.set_image(picture)
    other = sam.SamSegmenter(checkpoint, builder=tiny_sam, device="cpu")
    other.set_image(picture.copy())
    assert len(calls) == 1
    click = np.array([[40, 20]]), np.array([1])
    assert np.array_equal(segmenter.predict(*click), other.predict(*click))
    other.set_image(255 - picture)
    assert len(calls) == 2


def test_the_last_logits_are_the_next_mask_prompt(segmenter, picture, monkeypatch):
    segmenter.set_image(picture)
    prompts = []
    ask = segmenter._predictor.predict
    monkeypatch.setattr(segmenter._predictor, "predict", lambda **k: prompts.append(k["mask_input"]) or ask(**k))
    segmenter.predict(np.array([[40, 20]]), np.array([1]))
    logits = segmenter._last[2]
    segmenter.predict(np.array([[40, 20], [10, 10]]), np.array([1, 0]))
    assert prompts[0] is None
    assert prompts[1] is logits
    # Other clicks are another question.
    segmenter.predict(np.array([[5, 5]]), np.array([1]))
    assert prompts[2] is None


def test_a_start_becomes_a_mask_prompt_in_the_padded_frame(segmenter, picture):
    segmenter.set_image(picture)
    start = np.zeros((48, 80), np.uint8)
    start[:, 40:] = 255
    logits = segmenter._as_logits(start)
    assert logits.shape == (1, 16, 16)
    # 80 px fill all 16 columns; 48 px fill 38 of 64 rows, so rows beyond the tenth are padding.
    assert (logits[0, :9, 9:] > 0).all()
    assert (logits[0, :9, :7] < 0).all()
    assert (logits[0, 10:] < 0).all()


def test_named_starts_fall_back_to_the_built_in_ones(segmenter, collins, monkeypatch):
    built_in = get_segmenter("parser")
    for each in (segmenter, built_in):
        each.set_image(collins)
    assert np.array_equal(segmenter.named("lips"), built_in.named("lips"))
    prior = built_in.named("hair")
    # An answer that has nothing to do with the built-in start is not what was meant.
    monkeypatch.setattr(segmenter, "_ask", lambda *prompt: (np.zeros(prior.shape, np.uint8), None))
    assert np.array_equal(segmenter.named("hair"), prior)
    assert (prior > 127).any()
    # One that agrees counts, cut to the surroundings of the built-in start.
    monkeypatch.setattr(segmenter, "_ask", lambda *prompt: (np.where(prior > 127, 255, 200).astype(np.uint8), None))
    agreed = segmenter.named("hair")
    assert (agreed[prior > 127] == 255).all()
    assert not agreed[400:].any()


def test_missing_and_broken_checkpoints_say_so(tmp_path, settings_environment):
    settings_environment(weights=tmp_path)
    assert available_segmenters() == ("parser",)
    assert get_segmenter("auto").name == "parser"
    with pytest.raises(WeightsMissing, match="weights get sam-vit-b"):
        get_segmenter("sam")
    (tmp_path / "sam_vit_b_01ec64.pth").write_bytes(b"not a checkpoint")
    assert available_segmenters() == ("parser", "sam")
    with pytest.raises(WeightsMissing, match=r"its checksum begins \w+, not ec2df627\): fetch it again"):
        sam.load_sam(tmp_path / "sam_vit_b_01ec64.pth", tiny_sam)
    (tmp_path / "sam_vit_b_other.pth").write_bytes(b"not a checkpoint")
    with pytest.raises(WeightsMissing, match="not a usable SAM checkpoint: fetch it again"):
        sam.load_sam(tmp_path / "sam_vit_b_other.pth", tiny_sam)


def test_a_sound_checkpoint_under_the_published_name_is_not_the_published_one(tmp_path):
    torch.save(tiny_sam().state_dict(), tmp_path / "sam_vit_b_01ec64.pth")
    with pytest.raises(WeightsMissing, match="not the file of that name"):
        sam.load_sam(tmp_path / "sam_vit_b_01ec64.pth", tiny_sam)


def test_without_the_parser_s_weights_the_classic_one_is_built_in(tmp_path, settings_environment, monkeypatch):
    from durian.segmentation import registry

    settings_environment(weights=tmp_path)
    monkeypatch.setattr(registry, "find_parser", lambda: None)
    assert available_segmenters() == ("classic",)
    assert get_segmenter("auto").name == "classic"


def test_a_checkpoint_that_would_run_code_is_refused(tmp_path):
    import os

    class Hostile:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "ran"),)

    path = tmp_path / "sam_vit_b_hostile.pth"
    torch.save({"weight": Hostile()}, path)
    with pytest.raises(WeightsMissing):
        sam.load_sam(path, tiny_sam)
    assert not (tmp_path / "ran").exists()


def test_the_preferred_checkpoint_wins(tmp_path, settings_environment):
    settings_environment(weights=tmp_path)
    for name in ("sam_vit_a.pth", sam.PREFERRED, "sam_vit_l_0b3195.pth"):
        (tmp_path / name).touch()
    assert sam.find_checkpoint().name == sam.PREFERRED


def test_the_stand_ins_leave_no_trace():
    import importlib.util

    import_segment_anything()
    if importlib.util.find_spec("torchvision") is None:
        assert not [name for name in sys.modules if name.split(".")[0] == "torchvision"]


def test_suppression_keeps_the_best_of_each_class():
    boxes = torch.tensor([[0, 0, 10, 10], [1, 1, 11, 11], [50, 50, 60, 60], [0, 0, 10, 10]], dtype=torch.float32)
    scores = torch.tensor([0.8, 0.9, 0.1, 0.7])
    kept = batched_nms(boxes, scores, torch.tensor([0, 0, 0, 1]), 0.5)
    assert kept.tolist() == [1, 3, 2]
    assert box_area(boxes).tolist() == [100, 100, 100, 100]
