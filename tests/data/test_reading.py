from __future__ import annotations

import io
import os
import resource
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from realsr_mtl.bridges.opencv import cv2
from realsr_mtl.data import ImageError, to_tensor
from realsr_mtl.data.reading import EXTENSIONS, MAX_PIXELS, decode, decode_as_is, read_bytes
from tests._inputs import photograph
from tests.data._files import encode, encode_16_bit
from tests.data._hostile import jpeg_claiming, png_of, tiff_of

PHOTO = photograph(40, 56)
NOISE = np.random.default_rng(0).integers(0, 256, (150, 200, 3), dtype=np.uint8)
GREY = Image.fromarray(PHOTO[..., 0])
RGB = Image.fromarray(PHOTO)
RGBA = Image.fromarray(np.dstack((PHOTO, photograph(40, 56, seed=9)[..., 0])))
PALETTE = RGB.quantize(16)
DEEP = PHOTO.astype(np.uint16) * 256 + photograph(40, 56, seed=5)
NOTE = PngInfo()
NOTE.add_text("comment", "IEND")
TURNED = Image.Exif()
TURNED[0x0112] = 6  # hold the camera upright


def rgb(image: Image.Image) -> np.ndarray:
    return np.asarray(image.convert("RGB"))


EXACT = {
    "grey": (encode(GREY, "PNG"), rgb(GREY)),
    "grey and alpha": (encode(RGBA.convert("LA"), "PNG"), rgb(RGBA.convert("L"))),
    "one bit": (encode(GREY.convert("1"), "PNG"), rgb(GREY.convert("1"))),
    "RGB": (encode(RGB, "PNG"), PHOTO),
    "RGBA": (encode(RGBA, "PNG"), PHOTO),
    "transparent colour": (encode(RGB, "PNG", transparency=tuple(PHOTO[0, 0].tolist())), PHOTO),
    "palette": (encode(PALETTE, "PNG"), rgb(PALETTE)),
    "palette, a clear entry": (encode(PALETTE, "PNG", transparency=3), rgb(PALETTE)),
    "palette, alpha": (encode(PALETTE, "PNG", transparency=bytes(range(16))), rgb(PALETTE)),
    "16-bit grey": (encode(Image.fromarray(DEEP[..., 0]), "PNG"), np.dstack([DEEP[..., 0]] * 3)),
    "16-bit RGB": (encode_16_bit(DEEP), DEEP),
    "16-bit RGBA": (
        cv2.imencode(".png", np.dstack((DEEP[..., ::-1], DEEP[..., 1])))[1].tobytes(),
        DEEP,
    ),
    "BMP": (encode(RGB, "BMP"), PHOTO),
    "BMP palette": (encode(PALETTE, "BMP"), rgb(PALETTE)),
    "TIFF": (encode(RGB, "TIFF"), PHOTO),
    "TIFF LZW": (encode(RGB, "TIFF", compression="tiff_lzw"), PHOTO),
    "TIFF grey": (encode(GREY, "TIFF"), rgb(GREY)),
    "TIFF 16 bit": (encode_16_bit(DEEP, ".tiff"), DEEP),
    "WebP": (encode(RGB, "WEBP", lossless=True), PHOTO),
    "WebP alpha": (encode(RGBA, "WEBP", lossless=True, exact=True), PHOTO),
    "PPM": (encode(RGB, "PPM"), PHOTO),
    "PGM": (encode(GREY, "PPM"), rgb(GREY)),
    "one pixel": (encode(RGB.crop((0, 0, 1, 1)), "PNG"), PHOTO[:1, :1]),
    "EXIF-turned PNG": (encode(RGB, "PNG", exif=TURNED), np.rot90(PHOTO, -1)),
    "EXIF-turned TIFF": (encode(RGB, "TIFF", exif=TURNED), np.rot90(PHOTO, -1)),
}

SMOOTH = Image.fromarray(cv2.resize(PHOTO, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC))
LOSSY = {
    "RGB": (encode(SMOOTH, "JPEG", quality=95), rgb(SMOOTH)),
    "progressive": (encode(SMOOTH, "JPEG", quality=95, progressive=True), rgb(SMOOTH)),
    "grey": (encode(SMOOTH.convert("L"), "JPEG", quality=95), rgb(SMOOTH.convert("L"))),
    "CMYK": (encode(SMOOTH.convert("CMYK"), "JPEG", quality=95), rgb(SMOOTH)),
    "turned": (encode(SMOOTH, "JPEG", quality=95, exif=TURNED), np.rot90(rgb(SMOOTH), -1)),
}


@pytest.mark.parametrize("kind", EXACT)
def test_lossless_files_give_their_rgb(kind):
    code, expected = EXACT[kind]
    pixels = decode(code, kind)
    assert pixels.dtype == expected.dtype
    np.testing.assert_array_equal(pixels, expected)
    assert pixels.flags.c_contiguous


AS_IS = {
    "grey": GREY,
    "RGB": RGB,
    "RGBA": RGBA,
    "grey and alpha": RGBA.convert("LA").convert("RGBA"),
    "one bit": GREY.convert("1").convert("L"),
    "transparent colour": np.dstack((PHOTO, 255 * (PHOTO[0, 0] != PHOTO).any(-1).astype(np.uint8))),
    "palette": PALETTE.convert("RGB"),
    "16-bit grey": DEEP[..., 0],
    "16-bit RGB": DEEP,
    "16-bit RGBA": np.dstack((DEEP, DEEP[..., 1])),
    "TIFF grey": GREY,
    "TIFF 16 bit": DEEP,
    "WebP alpha": RGBA,
    "PGM": GREY,
    "EXIF-turned PNG": np.rot90(PHOTO, -1),
    "EXIF-turned TIFF": np.rot90(PHOTO, -1),
}


@pytest.mark.parametrize("kind", AS_IS)
def test_files_are_read_as_they_are(kind):
    pixels, expected = decode_as_is(EXACT[kind][0], kind), np.asarray(AS_IS[kind])
    assert pixels.dtype == expected.dtype
    np.testing.assert_array_equal(pixels, expected)
    assert pixels.flags.c_contiguous


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_alpha_turns_with_its_colours(kind, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    lossless = {"lossless": True, "exact": True} if kind == "WEBP" else {}
    pixels = decode_as_is(encode(RGBA, kind, exif=exif, **lossless), kind)
    upright = encode(RGB, kind, exif=exif, **lossless)
    np.testing.assert_array_equal(pixels[..., :3], decode(upright, kind))
    whole = np.asarray(RGBA)
    turned = [np.rot90(image, k) for image in (whole, whole[:, ::-1]) for k in range(4)]
    assert any(np.array_equal(pixels, image) for image in turned)


def test_colours_that_opencv_has_multiplied_by_alpha_are_refused():
    with pytest.raises(ImageError, match=r"'a\.tif' is an 8-bit TIFF file with alpha.*as PNG"):
        decode_as_is(encode(RGBA, "TIFF"), "a.tif")
    opaque = Image.fromarray(np.dstack((PHOTO, np.full_like(PHOTO[..., 0], 255))))
    np.testing.assert_array_equal(decode_as_is(encode(opaque, "TIFF"), "a"), np.asarray(opaque))


def test_jpeg_files_may_be_grey_or_turned():
    assert decode_as_is(LOSSY["grey"][0], "a").shape == (160, 224)
    turned = LOSSY["turned"][0]
    np.testing.assert_array_equal(decode_as_is(turned, "a"), decode(turned, "a"))


@pytest.mark.parametrize("kind", LOSSY)
def test_jpeg_files_give_nearly_their_rgb(kind):
    code, expected = LOSSY[kind]
    pixels = decode(code, kind)
    assert pixels.shape == expected.shape
    assert np.abs(pixels.astype(float) - expected).mean() < 3


@pytest.mark.parametrize("ending", sorted(EXTENSIONS - {".pgm"}))
def test_red_stays_red(ending):
    red = np.zeros((16, 16, 3), np.uint8)
    red[...] = (250, 20, 5)
    code = cv2.imencode(ending, np.ascontiguousarray(red[..., ::-1]))[1].tobytes()
    mean = to_tensor(decode(code, f"a{ending}")).mean((1, 2)) * 255
    torch.testing.assert_close(mean, torch.tensor([250.0, 20, 5]), rtol=0, atol=8)


def with_thumbnail() -> bytes:
    """A JPEG whose EXIF block holds a whole small JPEG, end marker included."""
    thumbnail = encode(RGB, "JPEG")
    block = b"Exif\0\0" + thumbnail
    header = b"\xff\xe1" + (len(block) + 2).to_bytes(2, "big") + block
    code = encode(Image.fromarray(NOISE), "JPEG", quality=90)
    return code[:2] + header + code[2:]


WHOLE = {
    "PNG": cv2.imencode(".png", NOISE)[1].tobytes(),
    "16-bit PNG": encode_16_bit(DEEP),
    "PNG with IEND in a text": encode(Image.fromarray(NOISE), "PNG", pnginfo=NOTE),
    "JPEG": encode(Image.fromarray(NOISE), "JPEG", quality=90),
    "progressive JPEG": encode(Image.fromarray(NOISE), "JPEG", progressive=True),
    "JPEG with thumbnail": with_thumbnail(),
    "WebP": encode(Image.fromarray(NOISE), "WEBP"),
    "BMP": encode(Image.fromarray(NOISE), "BMP"),
    "PPM": encode(Image.fromarray(NOISE), "PPM"),
    "TIFF": encode(Image.fromarray(NOISE), "TIFF"),
    "TIFF LZW": encode(Image.fromarray(NOISE), "TIFF", compression="tiff_lzw"),
}


@pytest.mark.parametrize("kind", WHOLE)
def test_cut_files_are_no_images(kind):
    code = WHOLE[kind]
    decode(code, "whole")
    for share in (0.001, 0.05, 0.3, 0.5, 0.8, 0.95, 0.999):
        for read in (decode, decode_as_is):
            with pytest.raises(ImageError, match=r"'half\.img' is"):
                read(code[: int(share * len(code))], "half.img")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "JPEG with thumbnail"])
def test_bytes_behind_the_end_do_no_harm(kind):
    np.testing.assert_array_equal(decode(WHOLE[kind] + b"\0" * 100, "a"), decode(WHOLE[kind], "a"))


def png_chunks(code: bytes) -> list[tuple[int, int]]:
    """Start and length of the data of every IDAT chunk."""
    chunks, at = [], 8
    while at < len(code):
        length = int.from_bytes(code[at : at + 4], "big")
        if code[at + 4 : at + 8] == b"IDAT":
            chunks.append((at + 8, length))
        at += 12 + length
    return chunks


@pytest.mark.parametrize("place", [0.0, 0.4, 0.7, 0.999])
def test_damaged_rows_of_a_png_are_noticed(place):
    code = bytearray(WHOLE["PNG"])
    chunks = png_chunks(bytes(code))
    assert len(chunks) > 3
    start, length = chunks[int(place * len(chunks))]
    code[start + length // 2] ^= 0x40
    with pytest.raises(ImageError, match=r"'a\.png' is not an image"):
        decode(bytes(code), "a.png")


def test_damage_that_the_checksums_of_chunks_miss_is_noticed():
    code = bytearray(WHOLE["PNG"])
    start, length = png_chunks(bytes(code))[2]
    code[start + length // 2] ^= 0x40
    checksum = zlib.crc32(code[start - 4 : start + length])
    code[start + length : start + length + 4] = checksum.to_bytes(4, "big")
    with pytest.raises(ImageError):
        decode(bytes(code), "a.png")


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        (b"", "is an empty file"),
        (b"this is a text, renamed to a.png", "is not an image that OpenCV can read"),
        (b"version https://git-lfs.github.com/spec/v1\n", "is not an image"),
        (b"\x89PNG\r\n\x1a\n", "is cut short"),
        (b"\xff\xd8", "is cut short"),
        (b"\xff\xd8\xff\xff\xff", "is cut short"),
        (b"\xff\xd8\xff\xe0\x00", "is cut short"),
        (cv2.imencode(".tiff", PHOTO.astype(np.float32))[1].tobytes(), "holds float32 samples"),
    ],
)
def test_what_is_no_image_is_named(code, sentence):
    with pytest.raises(ImageError, match=rf"'folder/a\.png' {sentence}"):
        decode(code, "folder/a.png")


def test_unreadable_files_are_named():
    Path("folder.png").mkdir()
    Path("circle.png").symlink_to("circle.png")
    os.mkfifo("pipe.png")
    with Path("large.png").open("wb") as file:
        file.truncate(2**31)  # takes no space
    Path("zero.png").symlink_to("/dev/zero")
    for name, sentence in {
        "absent.png": "cannot be read: No such file",
        "folder.png": "cannot be read: it is a folder and no file",
        "circle.png": "cannot be read: .*symbolic links",
        "pipe.png": "cannot be read: it is a pipe or a device",
        "zero.png": "cannot be read: it is a pipe or a device",
        "large.png": "has 2,147,483,648 bytes, more than the 2,147,483,647 .*compress it",
    }.items():
        with pytest.raises(ImageError, match=f"'{name}' {sentence}"):
            read_bytes(Path(name))


def test_what_the_system_denies_is_named(monkeypatch):
    def denied(path):
        raise PermissionError(13, "Permission denied", str(path))

    Path("a.png").touch()
    monkeypatch.setattr(Path, "read_bytes", denied)  # root may read everything
    with pytest.raises(ImageError, match=r"'a\.png' cannot be read: Permission denied"):
        read_bytes(Path("a.png"))


BOMBS = {
    "PNG": png_of(60_000, 60_000),
    "16-bit PPM": b"P6\n60000 60000\n65535\n",
    "BMP": encode(RGB, "BMP")[:18] + struct.pack("<ii", 60_000, 60_000) + encode(RGB, "BMP")[26:],
    "TIFF": tiff_of(np.zeros((1, 1, 3), np.uint8), 2).replace(
        struct.pack("<HHII", 256, 4, 1, 1), struct.pack("<HHII", 256, 4, 1, 2**30)
    ),
    "too wide": png_of(2_000_000, 1),
    "too high": png_of(1, 2_000_000),
}


@pytest.mark.parametrize("kind", BOMBS)
def test_more_pixels_than_the_limit_are_refused_before_they_are_decoded(kind):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for read in (decode, decode_as_is):
        with pytest.raises(
            ImageError,
            match=r"'a\.img' has \d+ x \d+ pixels, larger than OpenCV decodes \(1,073,741,824 "
            r"pixels, 1,000,000 a side\); cut it .*OPENCV_IO_MAX_IMAGE_PIXELS",
        ):
            read(BOMBS[kind], "a.img")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000  # KiB


def test_bytes_that_claim_many_pixels_below_the_limit_cost_nothing():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for code in (
        jpeg_claiming(encode(RGB, "JPEG"), 30_000, 30_000),
        png_of(30_000, 30_000, bytes(100_000)),
        png_of(4, 4).replace(b"\0\0\0\x08IDAT", b"\x7f\xff\xff\xffIDAT"),
        b"P6\n30000 30000\n255\n" + bytes(1000),
    ):
        with pytest.raises(ImageError):
            decode(code, "a")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000


def test_the_environment_sets_the_limit():
    script = (
        "import sys; from realsr_mtl.data.reading import decode\n"
        "for code in (sys.stdin.buffer.read(int(size)) for size in sys.argv[1:]):\n"
        "    try: print(decode(code, 'a.png').shape)\n"
        "    except Exception as error: print(error)"
    )
    codes = [encode(RGB.crop((0, 0, 56, height)), "PNG") for height in (39, 40)]
    done = subprocess.run(
        [sys.executable, "-c", script, *(str(len(code)) for code in codes)],
        input=b"".join(codes),
        capture_output=True,
        env={**os.environ, MAX_PIXELS: "2184"},
    )
    fits, refused = done.stdout.decode().splitlines()
    assert fits == "(39, 56, 3)"
    assert "'a.png' has 56 x 40 pixels, larger than OpenCV decodes (2184 pixels" in refused


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP", "TIFF", "PPM"])
@pytest.mark.parametrize("size", [(1, 1), (1, 9), (9, 1), (8, 9000), (9000, 8)])
def test_images_may_be_a_pixel_or_very_long(kind, size):
    photo = photograph(*size)
    options = {"lossless": True} if kind == "WEBP" else {}
    for read in (decode, decode_as_is):
        pixels = read(encode(Image.fromarray(photo), kind, **options), "a")
        assert pixels.shape == photo.shape
        if kind != "JPEG":
            np.testing.assert_array_equal(pixels, photo)


def test_the_content_counts_and_not_the_ending():
    np.testing.assert_array_equal(decode(encode(RGB, "BMP"), "really_a_bmp.png"), PHOTO)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "TIFF"])
def test_the_first_frame_of_several_is_used_or_none(kind):
    options = {"lossless": True} if kind == "WEBP" else {}
    code = encode(PALETTE, kind, save_all=True, append_images=[GREY.convert("P")], **options)
    try:
        pixels = decode(code, "a")
    except ImageError:  # OpenCV before 4.11
        return
    np.testing.assert_array_equal(pixels, rgb(PALETTE))


def test_animated_png_files_are_refused():
    code = encode(RGB, "PNG", save_all=True, append_images=[PALETTE.convert("RGB")])
    with pytest.raises(ImageError, match=r"'a\.png' is an animated PNG, .*save one frame"):
        decode(code, "a.png")


def test_cmyk_jpeg_files_have_the_colours_that_pillow_gives_them():
    code = encode(SMOOTH.convert("CMYK"), "JPEG", quality=95)
    at = code.find(b"\xff\xee")  # the block of Adobe, which says that 255 is no ink
    assert b"Adobe" in code[at : at + 16]
    ycck = code[: at + 15] + b"\2" + code[at + 16 :]
    for variant in (code, code[:at] + code[at + 16 :], ycck):
        expected = rgb(Image.open(io.BytesIO(variant))).astype(float)
        for read in (decode, decode_as_is):
            assert np.abs(read(variant, "a") - expected).mean() < 2


FUZZED = {
    "PNG": EXACT["RGB"][0],
    "16-bit PNG": EXACT["16-bit RGB"][0],
    "palette": EXACT["palette, alpha"][0],
    "JPEG": encode(RGB, "JPEG", exif=TURNED),
    "progressive": encode(RGB, "JPEG", progressive=True),
    "CMYK": encode(RGB.convert("CMYK"), "JPEG"),
    "WebP": encode(RGBA, "WEBP"),
    "lossless WebP": EXACT["WebP alpha"][0],
    "TIFF": EXACT["TIFF"][0],
    "TIFF LZW": EXACT["TIFF LZW"][0],
    "TIFF alpha": encode(RGBA, "TIFF"),
    "BMP": EXACT["BMP palette"][0],
    "PPM": EXACT["PPM"][0],
    "GIF": encode(PALETTE, "GIF"),
}


@pytest.mark.parametrize("kind", FUZZED)
def test_damage_gives_an_image_or_an_image_error(kind):
    rng = np.random.default_rng(sorted(FUZZED).index(kind))
    for number in range(60):
        code = bytearray(FUZZED[kind])
        if number % 3 == 0:
            code = code[: rng.integers(len(code))]
        else:  # half of them in the header
            for _ in range(rng.integers(1, 4)):
                code[rng.integers(len(code) if number % 2 else 64)] ^= 1 << rng.integers(8)
        for read in (decode, decode_as_is):
            try:
                pixels = read(bytes(code), "damaged.img")
            except ImageError as error:
                assert "'damaged.img'" in str(error)
            else:
                assert pixels.size and pixels.ndim in (2, 3)
                assert pixels.dtype in (np.uint8, np.uint16)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_tensors_are_float32_from_0_to_1(dtype):
    peak = np.iinfo(dtype).max
    pixels = np.array([[[0, peak, peak // 5]]], dtype)[:, ::-1]
    tensor = to_tensor(pixels)
    assert tensor.shape == (3, 1, 1)
    assert tensor.dtype == torch.float32
    torch.testing.assert_close(tensor.flatten(), torch.tensor([0.0, 1.0, 0.2]))
