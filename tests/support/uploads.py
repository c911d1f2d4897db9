"""Makes uploaded files the way forms send them."""

from django.core.files.uploadedfile import SimpleUploadedFile


def disk(body: bytes, name: str = "shoe red.png") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, body, "text/html")
