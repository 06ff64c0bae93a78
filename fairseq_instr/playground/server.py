"""Loading the models of the playground, and answering on a port of this machine."""

from __future__ import annotations

from typing import Callable, Tuple

from fairseq_instr.errors import InputError
from fairseq_instr.serving.loading import load_translator

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
WILDCARDS = ("0.0.0.0", "::", "")


def serve(announce: Callable[[str], None], **options) -> None:
    """Answer requests until interrupted.

    Args:
        announce: called with the address once the port is taken.
        **options: arguments of `make_server`.

    Raises:
        InputError: as `make_server`.
    """
    server, address = make_server(**options)
    announce(f"playground: {address} (stop it with Ctrl-C)")
    if server.effective_host not in LOOPBACK:
        announce(
            f"playground: {server.effective_host} is not loopback: whoever reaches it can use "
            "the models"
        )
    try:
        server.run()
    finally:
        server.close()


def make_server(
    tuned=None, base=None, host: str = "127.0.0.1", port: int = 8765, **loading
) -> Tuple:
    """Load the models and take the port.

    Args:
        tuned: checkpoint or exported folder; None for the model that comes with the package.
        base: checkpoint or exported folder of the model before tuning; None for none.
        port: 0 for any free one.
        **loading: data-bin, subwords and languages, as for `load_translator`.

    Returns:
        (waitress server, its address as a URL)

    Raises:
        InputError: if a package is missing, a model can't be loaded, or the port can't be taken.
    """
    try:
        import waitress

        from fairseq_instr.playground.app import MAX_BODY, System, create_app
    except ImportError as error:
        raise InputError(
            f"{error.name} is not installed; run: pip install flask waitress"
        ) from None
    if not 0 <= port < 65536:
        raise InputError(f"--port {port} is not accepted; give 0 (any free one) to 65535")
    systems = {}
    if base is not None:
        systems["base"] = System(load_translator(base, option="--base", **loading), asked=False)
    systems["tuned"] = System(load_translator(tuned, option="--tuned", **loading), asked=True)
    # under a wildcard the names of the machine are not known
    hosts = None if host in WILDCARDS else LOOPBACK | {host}
    app = create_app(systems, systems["tuned"].translator.target, hosts)
    try:
        server = waitress.create_server(
            app, host=host, port=port, threads=4, max_request_body_size=MAX_BODY
        )
    except OSError as error:
        raise InputError(
            f"--host {host} --port {port} can't be used: {error.strerror}; give another"
        ) from None
    shown = f"[{host}]" if ":" in host else host
    return server, f"http://{shown}:{server.effective_port}"
