"""Kinds of TIFF files, as far as OpenCV reads some of them wrongly without a word."""

from __future__ import annotations

import io
from dataclasses import dataclass

from PIL import TiffImagePlugin

_BEGINNINGS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_WHITE_IS_ZERO, _RGB, _CMYK, _LAB = 0, 2, 5, (8, 9, 10)


@dataclass(frozen=True)
class TiffKind:
    """How the first page of a TIFF file holds its pixels.

    Attributes:
        bits: of a sample.
        samples: of a pixel.
        colours: TIFF's number of the colour space; -1 if it is missing.
        planes: 1 with the samples of a pixel side by side, 2 with a plane for each.
    """

    bits: int
    samples: int
    colours: int
    planes: int

    @staticmethod
    def of(code: bytes) -> TiffKind | None:
        """The kind of a file; None for other files and for damaged ones."""
        if code[:4] not in _BEGINNINGS:
            return None
        try:
            header = code[:16] if b"+" in code[:4] else code[:8]
            tags = TiffImagePlugin.ImageFileDirectory_v2(header)
            file = io.BytesIO(code)
            file.seek(tags.next)
            tags.load(file)
            bits = tags.get(TiffImagePlugin.BITSPERSAMPLE, 1)
            return TiffKind(
                max(map(int, bits if isinstance(bits, tuple) else (bits,))),
                int(tags.get(TiffImagePlugin.SAMPLESPERPIXEL, 1)),
                int(tags.get(TiffImagePlugin.PHOTOMETRIC_INTERPRETATION, -1)),
                int(tags.get(TiffImagePlugin.PLANAR_CONFIGURATION, 1)),
            )
        except Exception:  # a damaged directory fails in any way
            return None

    @property
    def cmyk(self) -> bool:
        """Whether the fourth sample is black and no alpha."""
        return self.colours == _CMYK

    @property
    def multiplied(self) -> bool:
        """Whether there may be alpha, by which OpenCV multiplies the colours."""
        return self.bits == 8 and self.colours == _RGB and self.samples > 3

    @property
    def misread(self) -> str:
        """What makes OpenCV return other pixels than the file holds; empty if nothing does."""
        if self.colours in _LAB:
            return "with Lab colours"
        if 8 < self.bits < 16:
            return f"of {self.bits} bits"
        if self.bits == 16:
            if self.samples > 1 and self.planes != 1:
                return "of 16 bits with a plane for each colour"
            if self.samples == 2:
                return "of 16 bits with grey and alpha"
            if self.colours == _WHITE_IS_ZERO:
                return "of 16 bits in which 0 is white"
        return ""
