"""python-glanceclient, v2, with every image and member that comes back held against the server's schema."""

import io

import jsonschema
from glanceclient import Client

from common import endpoint

RAW = {"disk_format": "raw", "container_format": "bare"}


class Checked:
    """A client that also checks what it got; images and members are fetched as the client fetches them."""

    def __init__(self, caller):
        self.client = Client("2", session=caller.session(), endpoint_override=endpoint())
        self.images, self.members, self.cache = self.client.images, self.client.image_members, self.client.cache
        self.validators = {}

    def valid(self, schema, thing):
        if schema not in self.validators:
            raw = self.client.schemas.get(schema).raw()
            kind = jsonschema.validators.validator_for(raw)
            kind.check_schema(raw)
            self.validators[schema] = kind(raw)
        self.validators[schema].validate(dict(thing))
        return thing

    def get(self, image):
        return self.valid("image", self.images.get(image))

    def list(self, **query):
        return [self.valid("image", image) for image in self.images.list(**query)]

    def names(self, **query):
        return [image.name for image in self.list(**query)]

    def content(self, image):
        """The bytes; the client compares their digest with os_hash_value."""
        return b"".join(self.images.data(image))

    def make(self, data=None, **fields):
        image = self.valid("image", self.images.create(**{**RAW, **fields}))
        if data is not None:
            self.images.upload(image.id, io.BytesIO(data), image_size=len(data))
            image = self.get(image.id)
        return image

    def member_list(self, image):
        return [self.valid("member", member) for member in self.members.list(image)]
