# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""torchvision's networks: classifiers, segmentation, detection and video."""

from .exporting import both, seeded, wrap

#: With the height and width also dynamic.
SIZED = ("alexnet densenet121 efficientnet_b0 efficientnet_v2_s googlenet mnasnet0_5 "
         "mobilenet_v2 mobilenet_v3_small regnet_x_400mf regnet_y_400mf resnet18 resnet50 "
         "resnext50_32x4d shufflenet_v2_x0_5 squeezenet1_1 convnext_tiny swin_t swin_v2_t "
         "vgg11_bn wide_resnet50_2").split()
FIXED = "inception_v3 vit_b_32 maxvit_t".split()
SEGMENTATION = "deeplabv3_mobilenet_v3_large lraspp_mobilenet_v3_large fcn_resnet50".split()
DETECTION = {"fasterrcnn_mobilenet_v3_large_320_fpn": {}, "fcos_resnet50_fpn": {},
             "retinanet_resnet50_fpn": {}, "ssdlite320_mobilenet_v3_large": {},
             "maskrcnn_resnet50_fpn": {}, "keypointrcnn_resnet50_fpn": {}}
VIDEO = "r3d_18 mc3_18 s3d".split()


def image(model, size, sized):
    axes = {0: "N"} | ({2: "H", 3: "W"} if sized else {})
    return model, (seeded().randn(2, 3, size, size),), ["x"], {"x": axes}


def classifier(name, sized):
    from torchvision import models as zoo
    more = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
    size = 299 if name == "inception_v3" else 224
    return image(getattr(zoo, name)(weights=None, **more), size, sized)


def segmentation(name):
    from torchvision.models import segmentation as zoo
    model = getattr(zoo, name)(weights=None, weights_backbone=None)
    return image(wrap(model, lambda model, x: model(x)["out"]), 96, True)


def detector(name, options):
    from torchvision.models import detection as zoo
    model = getattr(zoo, name)(weights=None, weights_backbone=None, **options)
    if hasattr(model.transform, "min_size") and "ssd" not in name:
        model.transform.min_size, model.transform.max_size = (96,), 128
    x = seeded().rand(1, 3, 96, 128)
    return (wrap(model, lambda model, x: tuple(model([x[0]])[0].values())), (x,), ["x"],
            {"x": {2: "H", 3: "W"}})


def video(name):
    from torchvision.models import video as zoo
    x = seeded().randn(1, 3, 16, 64, 64)
    return getattr(zoo, name)(weights=None), (x,), ["x"], {"x": {0: "N"}}


def models():
    for name in SIZED + FIXED:
        yield from both(name, lambda name=name: classifier(name, name in SIZED))
    for name in SEGMENTATION:
        yield from both(name, lambda name=name: segmentation(name))
    for name, options in DETECTION.items():
        # The other exporter refuses loops over found objects.
        yield next(both(name, lambda name=name, options=options: detector(name, options)))
    for name in VIDEO:
        yield from both(name, lambda name=name: video(name))
