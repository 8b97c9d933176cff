"""The linear protocol of the small setting: the fine-tuning with frozen encoders."""

_base_ = './finetune.py'
model = dict(frozen=True)
