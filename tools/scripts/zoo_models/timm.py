# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""timm's networks: a small one of each family."""

from .exporting import both, seeded

NAMES = """beit_base_patch16_224 botnet26t_256 cait_xxs24_224 coat_lite_tiny coatnet_nano_rw_224
    convit_tiny convmixer_768_32 convnextv2_atto crossvit_tiny_240 cspresnet50 davit_tiny
    deit_tiny_patch16_224 dla34 dpn48b eca_botnext26ts_256 edgenext_xx_small efficientformer_l1
    efficientformerv2_s0 efficientnet_lite0 efficientvit_b0 efficientvit_m0 fastvit_t8
    focalnet_tiny_srf gcresnet33ts gcvit_xxtiny gernet_s ghostnetv2_100 hardcorenas_a
    haloregnetz_b hgnetv2_b0 hrnet_w18_small inception_next_atto lambda_resnet26t lcnet_050 levit_128s
    maxvit_rmlp_pico_rw_256 metaformer_ppff_s12_224 mixer_s32_224 mobilenetv4_conv_small
    mobileone_s0 mobilevit_xxs mobilevitv2_050 mvitv2_tiny nest_tiny nfnet_l0 pit_ti_224
    poolformer_s12 pvt_v2_b0 regnetz_005 repvgg_a0 repvit_m0_9 res2net50_14w_8s resmlp_12_224
    resnest14d rexnet_100 selecsls42 seresnet18 sequencer2d_s skresnet18 starnet_s1
    swin_tiny_patch4_window7_224 swinv2_tiny_window8_256 tinynet_e tiny_vit_5m_224 tnt_s_legacy_patch16_224
    twins_pcpvt_small vgg11 vit_tiny_patch16_224 volo_d1_224 xception41 xcit_nano_12_p16_224""".split()


def network(name):
    import timm
    model = timm.create_model(name, pretrained=False, exportable=True)
    channels, height, width = model.default_cfg["input_size"]
    return model, (seeded().randn(2, channels, height, width),), ["x"], {"x": {0: "N"}}


def models():
    for name in NAMES:
        yield from both(name, lambda name=name: network(name))
