# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""Small networks of each architecture of the package transformers, with random weights."""

from .exporting import both, seeded, wrap

#: Of most configurations.
SMALL = {"vocab_size": 100, "hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
         "intermediate_size": 128}
GROUPED = SMALL | {"num_key_value_heads": 2, "use_cache": False, "pad_token_id": 0}
TWO_SIDED = {"vocab_size": 100, "d_model": 64, "encoder_layers": 2, "decoder_layers": 2,
             "encoder_attention_heads": 4, "decoder_attention_heads": 4, "encoder_ffn_dim": 128,
             "decoder_ffn_dim": 128, "use_cache": False}

ENCODERS = {
    "Bert": SMALL, "Albert": SMALL | {"embedding_size": 32}, "Camembert": SMALL,
    "ConvBert": SMALL | {"embedding_size": 32}, "DebertaV2": SMALL | {
        "relative_attention": True, "position_buckets": 16, "pos_att_type": ["p2c", "c2p"],
        "share_att_key": True}, "Deberta": SMALL | {
        "relative_attention": True, "pos_att_type": ["p2c", "c2p"]},
    "DistilBert": {"vocab_size": 100, "dim": 64, "n_layers": 2, "n_heads": 4, "hidden_dim": 128},
    "Electra": SMALL | {"embedding_size": 32}, "Ernie": SMALL, "Esm": SMALL | {
        "position_embedding_type": "rotary", "pad_token_id": 1, "mask_token_id": 2},
    "FNet": {"vocab_size": 100, "hidden_size": 64, "num_hidden_layers": 2,
             "intermediate_size": 128}, "Funnel": {
        "vocab_size": 100, "block_sizes": [1, 1], "num_decoder_layers": 1, "d_model": 64,
        "n_head": 4, "d_head": 16, "d_inner": 128}, "IBert": SMALL, "LayoutLM": SMALL,
    "MPNet": SMALL, "MobileBert": SMALL | {
        "embedding_size": 32, "intra_bottleneck_size": 32, "true_hidden_size": 64},
    "ModernBert": SMALL | {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2,
                           "cls_token_id": 1, "sep_token_id": 2},
    "Nystromformer": SMALL | {"num_landmarks": 8, "segment_means_seq_len": 16}, "RemBert": SMALL,
    "Roberta": SMALL, "RoFormer": SMALL, "SqueezeBert": SMALL | {"embedding_size": 64},
    "XLMRoberta": SMALL, "XLNet": {"vocab_size": 100, "d_model": 64, "n_layer": 2, "n_head": 4,
                                   "d_inner": 128}}
DECODERS = {
    "GPT2": {"vocab_size": 100, "n_embd": 64, "n_layer": 2, "n_head": 4, "use_cache": False},
    "GPTNeo": {"vocab_size": 100, "hidden_size": 64, "num_layers": 2, "num_heads": 4,
               "attention_types": [[["global", "local"], 1]], "use_cache": False},
    "GPTNeoX": SMALL | {"use_cache": False}, "GPTJ": {
        "vocab_size": 100, "n_embd": 64, "n_layer": 2, "n_head": 4, "rotary_dim": 8,
        "use_cache": False},
    "OPT": {"vocab_size": 100, "hidden_size": 64, "num_hidden_layers": 2,
            "num_attention_heads": 4, "ffn_dim": 128, "word_embed_proj_dim": 64,
            "use_cache": False},
    "Bloom": {"vocab_size": 100, "hidden_size": 64, "n_layer": 2, "n_head": 4,
              "use_cache": False},
    "Llama": GROUPED, "Mistral": GROUPED | {"sliding_window": 8}, "Qwen2": GROUPED,
    "Qwen3": GROUPED | {"head_dim": 16}, "Phi": GROUPED, "Phi3": GROUPED,
    "Gemma": GROUPED | {"head_dim": 16}, "Gemma2": GROUPED | {"head_dim": 16},
    "Cohere": GROUPED, "Falcon": SMALL | {"use_cache": False}, "StableLm": GROUPED,
    "Olmo2": GROUPED, "Granite": GROUPED, "SmolLM3": GROUPED, "Starcoder2": GROUPED,
    "CodeGen": {"vocab_size": 100, "n_embd": 64, "n_layer": 2, "n_head": 4, "rotary_dim": 8,
                "use_cache": False},
    "Mamba": {"vocab_size": 100, "hidden_size": 32, "num_hidden_layers": 2, "state_size": 8,
              "use_cache": False}}
TRANSLATORS = {"Bart": TWO_SIDED, "Marian": TWO_SIDED | {"pad_token_id": 0,
                                                       "decoder_start_token_id": 0},
               "Pegasus": TWO_SIDED, "M2M100": TWO_SIDED, "Blenderbot": TWO_SIDED,
               "T5": {"vocab_size": 100, "d_model": 64, "d_kv": 16, "d_ff": 128,
                      "num_layers": 2, "num_heads": 4, "use_cache": False},
               "MT5": {"vocab_size": 100, "d_model": 64, "d_kv": 16, "d_ff": 128,
                       "num_layers": 2, "num_heads": 4, "use_cache": False}}
VISION = SMALL | {"image_size": 64, "patch_size": 16}
VISION.pop("vocab_size")
IMAGES = {
    "ViT": VISION, "DeiT": VISION, "Beit": VISION, "Dinov2": VISION | {"patch_size": 16},
    "ViTMSN": VISION, "Swin": {"image_size": 64, "embed_dim": 24, "depths": [1, 1],
                               "num_heads": [2, 2], "window_size": 4},
    "Swinv2": {"image_size": 64, "embed_dim": 24, "depths": [1, 1], "num_heads": [2, 2],
               "window_size": 4},
    "ConvNext": {"hidden_sizes": [16, 32], "depths": [1, 1], "num_stages": 2},
    "ConvNextV2": {"hidden_sizes": [16, 32], "depths": [1, 1], "num_stages": 2},
    "Segformer": {"depths": [1, 1, 1, 1], "hidden_sizes": [16, 32, 64, 64],
                  "num_attention_heads": [1, 2, 4, 4]},
    "PoolFormer": {"depths": [1, 1, 1, 1], "hidden_sizes": [16, 32, 64, 64]},
    "Pvt": {"image_size": 64, "depths": [1, 1, 1, 1], "hidden_sizes": [16, 32, 64, 64],
            "num_attention_heads": [1, 2, 4, 4]},
    "ResNet": {"embedding_size": 16, "hidden_sizes": [16, 32], "depths": [1, 1],
               "layer_type": "basic"},
    "RegNet": {"embedding_size": 16, "hidden_sizes": [16, 32], "depths": [1, 1],
               "groups_width": 8},
    "MobileViT": {"image_size": 64, "hidden_sizes": [32, 48, 64],
                  "neck_hidden_sizes": [8, 16, 24, 32, 48, 64, 64], "num_attention_heads": 4},
    "Cvt": {
        "embed_dim": [16, 32, 64], "num_heads": [1, 2, 4], "depth": [1, 1, 1]},
    "FocalNet": {"image_size": 64, "embed_dim": 16, "depths": [1, 1]},
    "Hiera": {"image_size": [64, 64], "embed_dim": 16, "depths": [1, 1, 1, 1],
              "num_heads": [1, 2, 4, 8], "mask_unit_size": [4, 4]},
    "SiglipVision": VISION, "CLIPVision": VISION}
AUDIO = {"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
         "intermediate_size": 128, "conv_dim": (32, 32, 32), "conv_stride": (5, 2, 2),
         "conv_kernel": (10, 3, 3), "num_conv_pos_embeddings": 16,
         "num_conv_pos_embedding_groups": 4}
SOUNDS = {"Wav2Vec2": AUDIO, "Hubert": AUDIO, "WavLM": AUDIO, "UniSpeech": AUDIO,
          "Data2VecAudio": AUDIO, "SEW": AUDIO | {"squeeze_factor": 2}}


def create(name, head, options):
    import transformers
    options = dict(options) | {"attn_implementation": "eager"}
    config = getattr(transformers, name + "Config")(**options)
    return getattr(transformers, name + head)(config)


def tokens(rows=2, length=16):
    return seeded().randint(3, 100, (rows, length))


TEXT = {"ids": {0: "N", 1: "S"}, "mask": {0: "N", 1: "S"}}


def encoder(name):
    model = create(name, "Model", ENCODERS[name])
    ids = tokens()
    if name == "FNet":
        return (wrap(model, lambda model, ids: model(ids).last_hidden_state), (ids,), ["ids"],
                {"ids": {0: "N"}})
    mask = ids.new_ones(ids.shape)
    mask[1, 12:] = 0
    return (wrap(model, lambda model, ids, mask: model(
        ids, attention_mask=mask).last_hidden_state), (ids, mask), ["ids", "mask"], TEXT)


def decoder(name):
    head = "LMHeadModel" if name == "GPT2" else "ForCausalLM"
    model = create(name, head, DECODERS[name])
    ids = tokens()
    if name == "Mamba":
        return (wrap(model, lambda model, ids: model(ids).logits), (ids,), ["ids"],
                {"ids": {0: "N", 1: "S"}})
    return (wrap(model, lambda model, ids, mask: model(ids, attention_mask=mask).logits),
            (ids, ids.new_ones(ids.shape)), ["ids", "mask"], TEXT)


def translator(name):
    head = "MTModel" if name == "Marian" else "ForConditionalGeneration"
    model = create(name, head, TRANSLATORS[name])
    ids = tokens()
    return (wrap(model, lambda model, ids, mask, given: model(
        input_ids=ids, attention_mask=mask, decoder_input_ids=given).logits),
        (ids, ids.new_ones(ids.shape), tokens(2, 7)), ["ids", "mask", "given"],
        TEXT | {"given": {0: "N", 1: "D"}})


def image(name):
    model = create(name, "Model", IMAGES[name])
    return (wrap(model, lambda model, x: model(x).last_hidden_state),
            (seeded().randn(2, 3, 64, 64),), ["x"], {"x": {0: "N"}})


def sound(name):
    model = create(name, "Model", SOUNDS[name])
    return (wrap(model, lambda model, x: model(x).last_hidden_state),
            (seeded().randn(2, 1600),), ["x"], {"x": {0: "N", 1: "T"}})


def whisper():
    model = create("Whisper", "ForConditionalGeneration", TWO_SIDED | {
        "num_mel_bins": 16, "max_source_positions": 50, "pad_token_id": 0, "bos_token_id": 1,
        "eos_token_id": 2, "decoder_start_token_id": 1})
    return (wrap(model, lambda model, x, given: model(
        input_features=x, decoder_input_ids=given).logits),
        (seeded().randn(2, 16, 100), tokens(2, 7)), ["x", "given"],
        {"x": {0: "N"}, "given": {0: "N", 1: "D"}})


def clip(name="CLIP"):
    text = SMALL | {"eos_token_id": 99, "bos_token_id": 0, "pad_token_id": 1}
    model = create(name, "Model", {"text_config": text, "vision_config": dict(VISION)})
    ids = tokens(2, 12)
    ids[:, -1] = 99
    return (wrap(model, lambda model, ids, mask, x: model(
        input_ids=ids, attention_mask=mask, pixel_values=x).logits_per_image),
        (ids, ids.new_ones(ids.shape), seeded().randn(2, 3, 64, 64)), ["ids", "mask", "x"],
        TEXT | {"x": {0: "M"}})


def detector(name):
    import transformers
    backbone = transformers.ResNetConfig(
        embedding_size=16, hidden_sizes=[16, 32, 64, 64], depths=[1, 1, 1, 1],
        layer_type="basic", out_features=["stage4"] if name == "Detr"
        else ["stage2", "stage3", "stage4"])
    common = {"d_model": 32, "encoder_ffn_dim": 64, "decoder_ffn_dim": 64,
              "encoder_attention_heads": 4, "decoder_attention_heads": 4, "decoder_layers": 2}
    if name == "RTDetr":
        backbone = transformers.RTDetrResNetConfig(
            embedding_size=16, hidden_sizes=[16, 32, 64, 64], depths=[1, 1, 1, 1],
            layer_type="basic", out_features=["stage2", "stage3", "stage4"])
        common |= {"encoder_in_channels": [32, 64, 64], "encoder_hidden_dim": 32,
                   "num_queries": 20, "decoder_in_channels": [32, 32, 32]}
    else:
        common |= {"encoder_layers": 2, "num_queries": 10, "use_timm_backbone": False,
                   "backbone": None, "use_pretrained_backbone": False}
    if name == "DeformableDetr":
        common |= {"num_feature_levels": 3, "disable_custom_kernels": True}
    model = create(name, "ForObjectDetection", common | {"backbone_config": backbone})

    def run(model, x):
        found = model(x)
        return found.logits, found.pred_boxes
    return wrap(model, run), (seeded().randn(1, 3, 64, 96),), ["x"], {"x": {0: "N", 2: "H", 3: "W"}}


def models():
    for build, names in ((encoder, ENCODERS), (decoder, DECODERS), (translator, TRANSLATORS),
                         (image, IMAGES), (sound, SOUNDS),
                         (detector, ("Detr", "DeformableDetr", "RTDetr")), (clip, ("CLIP",))):
        for name in names:
            yield from both(name, lambda build=build, name=name: build(name))
    yield from both("Whisper", whisper)
