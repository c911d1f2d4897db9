"""Lamina's test vector for a signed webhook."""

from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

KEY = {
    "kty": "OKP",
    "crv": "Ed25519",
    "x": "A6EHv_POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg",
    "kid": "test-vector-1",
    "use": "sig",
    "alg": "EdDSA",
}
SEED = bytes.fromhex("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f")
SIGNATURE = (
    "39bedad6e087a6127464e7e84aa2c0411ec687ef0b74f87f78d85d341c7217d8"
    "245bd8f68a0ba38fe7def3692fa49406af7da99f4a75d01482cd97d439f3d503"
)
RUN_ID = "fc32ae7d-6840-4be3-8fb1-539a60e33fc3"
BODY = (
    '{"data":{"runId":"fc32ae7d-6840-4be3-8fb1-539a60e33fc3","workflowId":"3f68debe-df0a-4fc9-bdd3-9d45a4160587",'
    '"status":"completed","outputs":[{"id":"node-1","label":"Café ✓","type":"image",'
    '"value":"https://cdn.example.com/a/b.png","status":"completed","error":null}],"errorMessage":null}}'
).encode()
HEADERS = {
    "X-Lamina-Webhook-Signature": SIGNATURE,
    "X-Lamina-Webhook-Timestamp": "1767225600",
    "X-Lamina-Webhook-Request-Id": RUN_ID,
}
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def signed(body: bytes, timestamp: str = "1767225600", **others: str) -> dict[str, str]:
    """Return headers with a valid signature for `body`."""
    signature = Ed25519PrivateKey.from_private_bytes(SEED).sign(timestamp.encode() + b"." + body).hex()
    return {"X-Lamina-Webhook-Signature": signature, "X-Lamina-Webhook-Timestamp": timestamp, **others}
