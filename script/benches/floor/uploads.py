"""The floor of uploads: hash the bytes while they arrive, write and fsync them, insert one row. No rights, no checks."""

from __future__ import annotations

import hashlib
import os
import uuid

from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from script.benches.floor.downloads import FILES

CHUNK = 64 * 1024


@csrf_exempt
def upload(request: HttpRequest) -> HttpResponse:
    """The body is the file."""
    key, digest, size = uuid.uuid4(), hashlib.sha256(), 0
    folder = FILES / "floor" / key.hex[:2]
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / key.hex).open("xb") as file:
        while chunk := request.read(CHUNK):
            digest.update(chunk)
            size += file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO floor_upload VALUES (%s, %s, %s, now())", [key, digest.digest(), size])
    return JsonResponse({"sha256": digest.hexdigest(), "size": size})
