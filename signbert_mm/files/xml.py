"""Reads XML of others: no document type, so no entities, external files or expansions."""

import os
from typing import Union
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from ..errors import UserValueError


def read_xml(path: Union[str, 'os.PathLike[str]']) -> Element:
    """The root element of an XML file.

    A document type declaration is refused: it is where entities are defined, which can name other files or
    grow without bounds. The formats that are read here have none.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is no XML, cut short, or has a document type; the message names the line.
    """
    builder, parser = TreeBuilder(), expat.ParserCreate()

    def refuse(name: str, *_: object) -> None:
        raise UserValueError(
            f'{path}: line {parser.CurrentLineNumber}: a document type ({name!r:.60}) is declared, which can '
            'define entities and is not read; remove that declaration'
        )

    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data
    # Text in one piece, since each call of the builder costs more than its characters.
    parser.buffer_text = True
    with open(path, 'rb') as file:
        data = file.read()
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise UserValueError(
            f'{path}: line {error.lineno}: this is no whole XML file ({expat.ErrorString(error.code)}, '
            f'{len(data):,} bytes); get it again, or save it anew with the program that wrote it'
        ) from None
    except (ValueError, LookupError) as error:
        if isinstance(error, UserValueError):
            raise
        raise UserValueError(f'{path}: {error}; save the file as UTF-8') from None
    return builder.close()
