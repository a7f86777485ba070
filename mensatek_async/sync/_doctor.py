"""The diagnosis for a synchronous client."""

from __future__ import annotations

from typing import Any

from ..doctor.diagnosis import Diagnosis
from ..doctor.doctor import Doctor, remember
from ..errors import ConfigurationError
from ..tracebacks import private
from .generated._client import Mensatek


@private
def sync_diagnose(
    client: Mensatek,
    phone: str | None = None,
    *,
    listen: int | None = None,
    callback: str | None = None,
    host: str = "127.0.0.1",
    wait: float = 60.0,
) -> Diagnosis:
    """Find out what this package assumes of the provider and your account may need otherwise, as `diagnose` does.

    Args:
        client: the client, whose own settings are what is looked at.
        phone: a phone of your own, which gets at most three texts. No question is asked. None sends nothing.
        listen: the port on which to hear callbacks of these texts, where the URL in your panel leads.
        callback: that URL: whether it leads here is tried before any text, and without `listen` it names the port.
        host: the address to listen on.
        wait: seconds that callbacks are waited for.

    Returns:
        The diagnosis. An exception that ends it, Ctrl-C too, has what was found out so far as its `diagnosis`.

    Raises:
        InvalidRequest: the phone, the URL, the port or the time cannot be, or there is no phone that callbacks could
            come for.
        ConfigurationError: the client is closed or none of these, or nothing can listen there.
    """
    return examine(client, phone, listen=listen, callback=callback, host=host, wait=wait)


def examine(client: Mensatek, phone: str | None, **options: Any) -> Diagnosis:
    """Run a diagnosis to its end, in the client's event loop."""
    if not isinstance(client, Mensatek):
        raise ConfigurationError(
            f"client is a Mensatek, not {type(client).__name__}.",
            advice="With an AsyncMensatek it is `await diagnose(client)`.",
        )
    doctor = Doctor(client._original, phone, **options)
    try:
        return client._run(doctor.run())
    except BaseException as error:
        remember(error, doctor)
        raise
