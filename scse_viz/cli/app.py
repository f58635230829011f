"""`scse-viz app`: start the app, with a network of the user's own among its networks."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from dataclasses import asdict

from scse_viz.cli.common import Commands, UsageError, add_device_option
from scse_viz.cli.networks import add_network_options, request_of
from scse_viz.installation import shipped

SCRIPT = shipped("app.py", installed_as="served/app.py")
"""What Streamlit serves; .streamlit/ beside it has theme and limits."""


def add_parser(commands: Commands) -> None:
    """Add the command with its options."""
    app: argparse.ArgumentParser = commands.add_parser(
        "app",
        help="start the app, optionally with a network of your own",
        description="Start the app. A network given here is offered on every page; options after -- go to "
        "`streamlit run`, as in `scse-viz app -- --server.port 8502`.",
    )
    app.add_argument("--model", metavar="PATH", help="a folder or .zip of save_pretrained, or a file of weights")
    add_network_options(app)
    add_device_option(app)
    app.add_argument("streamlit", nargs="*", metavar="-- OPTIONS", help="options of `streamlit run`")
    app.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Check that the network opens, then serve the app until it is stopped."""
    from scse_viz.system import devices
    from scse_viz.zoo.foreign import answers

    environment = dict(os.environ)
    if options.device != devices.AUTO:
        environment[devices.VARIABLE] = options.device
    devices.device_of_app(environment)  # refuses a device that is not there before the app starts
    if options.model is not None and options.network is not None:
        raise UsageError("give one of --model, a file of a network, and --network, a function that makes one")
    if options.model is not None or options.network is not None:
        request = request_of(options, options.model)
        network = answers.opened(request)
        for sentence in (*network.notes, *network.card.preprocessing.sentences):
            print(f"{network.card.name}: {sentence}", file=sys.stderr)
        environment[answers.REQUESTS] = json.dumps([asdict(request)])
    command = [sys.executable, "-m", "streamlit", "run", str(SCRIPT), *options.streamlit]
    if code := subprocess.run(command, env=environment, check=False).returncode:
        raise SystemExit(code)
