"""The shop's web service."""

import uvicorn

if __name__ == "__main__":
    uvicorn.run("shop.app:app", host="0.0.0.0", port=8000, timeout_graceful_shutdown=15)
