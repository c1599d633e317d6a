"""Who takes part in a row, and what each of them has to hand out."""
from . import client
from .glance import Glance
from .servers import Gander, Nginx


def kinds(options):
    """The image services to measure."""
    return [Gander, *([Glance] if options.glance else [])]


def with_cached_image(stage, size):
    """Image services with a cached image of this size, and nginx with Gander's file of it; the path at each."""
    source = client.random_file(stage.directory() / "image", size)
    paths = {}
    for kind in kinds(stage.options):
        server = kind(stage)
        _, image = server.upload(source)
        paths[server] = server.path(image)
        client.download_all(server, paths[server], 1, size)
        if kind is Gander:
            paths[Nginx(stage, server.cache)] = f"/{image}"
    return paths


def figures_of(name, found):
    """The figures of the only contender of this name."""
    return next(figures for server, figures in found.items() if server.name == name)
