"""README's picture: a table of mixed styles, made by the StyleGAN that ships with the course."""

import numpy as np

from coursetools import notebooks

PATH = notebooks.ROOT / "notebooks" / "images" / "overview.png"
SEED = 3
ABOVE = (26, 29, 33, 41, 62, 73, 54, 8)  # chosen by eye among the first eighty garments
LEFT = (39, 77, 67, 68)
FORM_LEVELS = 5  # these take the style of the garment above, all later ones that of the left one


def draw():
    """The table, a uint8 picture [H, W]: garments above and at the left, between them mixtures."""
    from helpers import plotting, pretrained
    from helpers.stylegan import GrowingStyleGenerator, paint

    generator = pretrained.load_weights(GrowingStyleGenerator().at(32), "stylegan")
    mapping, synthesis = generator.get_layer("mapping"), generator.get_layer("synthesis")
    rng = np.random.default_rng(SEED)
    w = mapping(rng.normal(size=(80, 64)).astype("float32")).numpy()
    sizes = np.repeat([4, 8, 16, 32], 2)
    noises = [rng.normal(size=(1, size, size, 1)).astype("float32") for size in sizes]
    levels = np.arange(len(sizes))[:, np.newaxis]
    columns, images = w[list(ABOVE)], [np.zeros((1, 28, 28))]
    images.append(paint(synthesis, columns, noises, margin=2).numpy())
    for index in LEFT:
        mixed = np.where(levels < FORM_LEVELS, columns[:, np.newaxis], w[index])  # [N, 8, 64]
        for styles in (w[[index]], mixed):
            images.append(paint(synthesis, styles, noises, margin=2).numpy())
    picture = plotting.mosaic(np.concatenate(images), columns=len(ABOVE) + 1)
    height, width = picture.shape[0] // (len(LEFT) + 1), picture.shape[1] // (len(ABOVE) + 1)
    picture = np.insert(picture, [height] * 4, 255, axis=0)  # a gap behind the first row
    return np.insert(picture, [width] * 4, 255, axis=1)


def write():
    """Make the picture anew."""
    from helpers import plotting

    PATH.write_bytes(plotting.png_bytes(draw(), scale=3))
    print(PATH.relative_to(notebooks.ROOT))
