"""The first import of whatever uses torch and mmengine: says how to install them."""

from .extras import check_installed

check_installed(('torch', 'mmengine'), 'training, and every model that is not exported to ONNX,', 'train')
