"""Training, validation and test crops of the Decathlon's hippocampus task, by file number.

The two crops of one subject, left and right, are numbered 2 k - 1 and 2 k: their intensities are quantised alike, those
of other neighbours are not. The 65 subjects of whom both crops exist are used for training. Every crop of VALIDATION
and TEST is the only one of its subject, so no subject is on two sides of the split, and test crops are independent. The
90 single crops were split at random: `random.Random(0).shuffle`, then 40 for test and 20 for validation.
"""

# fmt: off
TRAINING = (
    14, 19, 20, 23, 24, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 45, 46, 48, 51, 52, 56, 57, 58, 75, 77, 83, 84,
    87, 88, 89, 90, 91, 92, 93, 94, 95, 96, 97, 98, 101, 107, 108, 125, 126, 132, 135, 136, 141, 142, 145, 146,
    149, 150, 154, 155, 156, 157, 158, 160, 163, 164, 165, 166, 169, 170, 171, 172, 173, 174, 178, 181, 184,
    189, 190, 193, 194, 197, 203, 204, 207, 215, 216, 219, 220, 221, 222, 223, 224, 226, 227, 228, 229, 230,
    235, 236, 238, 243, 244, 245, 249, 250, 251, 252, 259, 260, 276, 277, 280, 286, 287, 288, 289, 290, 292,
    297, 298, 299, 300, 301, 302, 305, 309, 316, 317, 318, 319, 320, 321, 322, 325, 326, 327, 328, 331, 332,
    333, 335, 336, 337, 338, 340, 343, 349, 350, 352, 353, 354, 355, 356, 359, 360, 361, 367, 368, 373, 374,
    375, 376, 389, 390,
)
VALIDATION = (
    1, 8, 65, 74, 127, 133, 148, 152, 176, 185, 210, 263, 269, 274, 282, 295, 378, 380, 385, 393,
)
TEST = (
    3, 6, 11, 17, 25, 44, 50, 53, 67, 70, 99, 104, 106, 109, 123, 130, 143, 162, 180, 195, 199, 205, 212, 217,
    232, 242, 253, 257, 268, 303, 314, 329, 341, 345, 358, 363, 366, 370, 372, 387,
)
