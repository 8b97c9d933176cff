"""The console command ``signbert-mm``. Its modules import torch and mmengine inside functions alone."""
