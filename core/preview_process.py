"""Draw a preview in a process of its own: ``python -m core.preview_process pdf|picture SOURCE TARGET``.

Foreign files meet big parsers here, so the process has little memory and time, no database and no network, and
may crash without taking a worker along. It prints one word: ready, none, encrypted or broken.
"""

from __future__ import annotations

import resource
import sys

MEMORY = 1536 * 1024 * 1024  # bytes of address space
SECONDS = 40  # of processor time
WIDTH = 900  # pixels
HEIGHT = 2700  # pixels; a paper roll is cut short
PIXELS = 150_000_000  # a picture of more is not unpacked


def draw_pdf(source: str, target: str) -> str:
    """The first page."""
    import pypdfium2 as pdfium
    from pypdfium2 import raw

    try:
        document = pdfium.PdfDocument(source)
    except pdfium.PdfiumError as error:
        locked = (raw.FPDF_ERR_PASSWORD, raw.FPDF_ERR_SECURITY)
        code = getattr(error, "err_code", None)
        return "encrypted" if code in locked or "password" in str(error).lower() else "broken"
    if not len(document):
        return "broken"
    page = document[0]
    width, height = page.get_size()
    if width <= 0 or height <= 0:
        return "broken"
    picture = page.render(scale=min(WIDTH / width, HEIGHT / height)).to_pil()
    picture.convert("RGB").save(target, "WEBP", quality=80)
    return "ready"


def draw_picture(source: str, target: str) -> str:
    """The picture upright, without place, device and other metadata."""
    from PIL import Image, ImageOps

    Image.MAX_IMAGE_PIXELS = None  # the limit is ours, and the process has one, too
    with Image.open(source, formats=["PNG", "JPEG", "GIF", "WEBP", "TIFF", "BMP"]) as picture:
        if picture.width * picture.height > PIXELS:
            return "none"
        picture.draft("RGB", (WIDTH * 2, HEIGHT))
        upright = ImageOps.exif_transpose(picture)
        upright = upright.convert("RGBA" if "A" in upright.getbands() or "transparency" in upright.info else "RGB")
        upright.thumbnail((WIDTH, HEIGHT))
        upright.info.clear()
        upright.save(target, "WEBP", quality=80)
    return "ready"


def main(kind: str, source: str, target: str) -> None:
    """Draw within the limits and print the outcome."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        outcome = (draw_pdf if kind == "pdf" else draw_picture)(source, target)
    except MemoryError:
        outcome = "none"
    except Exception as error:  # parsers of foreign bytes raise anything
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        outcome = "broken"
    sys.stdout.write(outcome)


if __name__ == "__main__":
    main(*sys.argv[1:4])
