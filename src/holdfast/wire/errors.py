"""What a decoder says about octets that are not what they claim to be."""


class MalformedError(ValueError):
    """Octets that do not form the value they should: too short, or a length that cannot be.

    Raised by decoders only. A protocol machine catches it and turns it into the reply its RFC asks for.
    """
