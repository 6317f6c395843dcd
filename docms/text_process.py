"""Read the text of a PDF in a process of its own: ``python -m docms.text_process PAGES CHARACTERS``, the file on standard input.

Foreign files meet a big parser here, and a small one can unpack to gigabytes: so the process has little memory and time, no
database and no network, and may crash without taking a worker along. It writes the text to standard output.
"""

from __future__ import annotations

import resource
import sys

MEMORY = 768 * 1024 * 1024  # bytes of address space
SECONDS = 40  # of processor time
UNREADABLE = 3  # exit status of a file that is damaged or protected


def main(pages: int, characters: int) -> int:
    """Write the text of so many pages, page by page: what was read before a limit ends the process is kept."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    import pypdfium2

    written = 0
    try:
        with open(0, "rb") as source:
            pdf = pypdfium2.PdfDocument(source)
            for number in range(min(len(pdf), pages)):
                page = pdf[number]
                textpage = page.get_textpage()
                text = textpage.get_text_bounded()[: characters - written]
                textpage.close()
                page.close()
                sys.stdout.buffer.write((text + "\n").encode("utf-8", "replace"))
                sys.stdout.buffer.flush()
                written += len(text) + 1
                if written >= characters:
                    break
    except pypdfium2.PdfiumError as error:
        sys.stderr.write(str(error))
        return UNREADABLE
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2])))
