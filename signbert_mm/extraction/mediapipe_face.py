"""The 68 face points of COCO-WholeBody in MediaPipe's face mesh of 468.

MediaPipe publishes no such table. Its own contours (``mediapipe.solutions.face_mesh_connections``) name the
eyes, brows, lips, nose and face oval, and the 68 points (300-W numbering) lie on the same contours: corners,
peaks and midlines correspond one to one, and the points between are the mesh points nearest to even steps.
The jaw is the lower face oval from the level of the eyes to the chin, in eight even steps a side; 300-W marks
the visible outline there, so on a turned head these 17 points differ in kind.
"""

# 300-W counts from the left of the image, so the signer's right side comes first.
_JAW = (127, 234, 93, 132, 172, 136, 150, 176, 152, 400, 379, 365, 397, 361, 323, 454, 356)
_BROWS = (70, 63, 105, 66, 107, 336, 296, 334, 293, 300)
_NOSE = (168, 197, 195, 4, 98, 97, 2, 326, 327)
_EYES = (33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380)
_MOUTH = (61, 40, 37, 0, 267, 270, 291, 321, 314, 17, 84, 91, 78, 81, 13, 311, 308, 402, 14, 178)

FACE_68 = _JAW + _BROWS + _NOSE + _EYES + _MOUTH
