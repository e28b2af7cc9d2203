"""Every question the course asks, by name. No answers here: this package runs beside learner code."""

from importlib import import_module

from utils.checks.question import Question

MODULES = {
    "practice": "practice",
    "cross_correlate2d": "filtering",
    "convolve2d": "filtering",
    "sharpen": "chapter01",
    "match_template": "chapter01",
    "conv_matrix": "chapter01",
    "museum_rows": "chapter01",
    "museum_stride": "chapter01",
    "museum_pooling": "chapter01",
    "conv_output_size": "sizes",
    "pool_output_size": "sizes",
    "conv_transpose_output_size": "sizes",
    "conv_parameters": "sizes",
    "receptive_field": "sizes",
    "conv2d": "conv2d",
    "pool2d": "pool2d",
    "slide_bias": "chapter02",
    "fully_connected_parameters": "chapter02",
    "im2col": "chapter02",
    "conv2d_backward": "chapter02",
    "activations": "neural",
    "softmax": "neural",
    "cross_entropy": "neural",
    "sgd_step": "neural",
    "multiply_gate": "gates",
    "add_gate": "gates",
    "max_gate": "gates",
    "relu_gate": "gates",
    "sigmoid_gate": "gates",
    "channel_statistics": "training",
    "train_epoch": "training",
    "evaluate": "training",
    "confusion_matrix": "training",
    "flat_features": "building",
    "sparse_parameters": "building",
    "batch_norm": "building",
    "batch_norm2d": "building",
    "dropout": "building",
    "digit_cnn": "building",
    "conv_transpose2d": "autoencoders",
    "overlaps": "autoencoders",
    "psnr": "autoencoders",
    "conv_autoencoder": "autoencoders",
    "iou": "applications",
    "nms": "applications",
    "mean_iou": "applications",
    "gram_matrix": "applications",
    "as_convolution": "applications",
    "multiply_adds": "architectures",
    "inception": "architectures",
    "residual_block": "architectures",
    "new_head": "architectures",
    "early_stopping": "method",
    "near_duplicates": "method",
    "split_by_group": "method",
    "seed_interval": "method",
    "fgsm": "attacks",
    "pgd": "attacks",
    "mean_corruption_error": "corruptions",
    "group_accuracy": "trust",
    "group_weights": "trust",
    "saliency": "trust",
    "calibration_error": "trust",
    "fit_temperature": "trust",
}
# What the assignment's networks are asked: there is no one right answer, so `utils.assignment.rules` judges them.
EVIDENCE = {"assignment_model": "assignment", "assignment_pair": "assignment"}


def module_of(name: str) -> str:
    """The module (of `questions` and, under the same name, of `answers`) that holds the check `name`."""
    modules = MODULES | EVIDENCE
    if name not in modules:
        raise KeyError(f"there is no check called {name!r}; the checks are: {', '.join(MODULES)}")
    return modules[name]


def find(name: str) -> Question:
    """The question called `name`."""
    return import_module(f"utils.checks.questions.{module_of(name)}").QUESTIONS[name]
