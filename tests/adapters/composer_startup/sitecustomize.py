"""Lets Composer import PyPI's torchvision, which is compiled for CUDA, beside a torch for CPUs.

Its operators cannot be loaded there, and its import fails because these two are not known.
"""

import torch

if torch.version.cuda is None:
    for name in ("nms", "qnms"):
        torch.library.define(f"torchvision::{name}", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
