"""Lines in the form of SEAL's file of centres, made up here."""

from __future__ import annotations

REAL_ESRGAN = (
    "FisrtOrder_Blur_1_0_11_1_1.46_0.21_0.7_1.25_0.5_0_Resize_1_1.2_bilinear_Noise_1_0_1_3.43"
    "_0.4_JPEG_1_50.46_SecondOrder_Blur_1_1_9_3_0.8_1.1_2.5_1.5_-2.0_1.9_Resize_1_0.5"
    "_bicubic_Noise_1_1_0_12.5_2.25_FinalOrder_Final_1_0_0_0_Resize_area_JPEG_64.5_.png"
)
BASIS = "-0.6_0.8_0.0_-0.64_-0.48_0.6_-0.48_-0.36_-0.8"
"""An orthonormal matrix whose first column has one sign."""
BSRGAN = (
    "shuffleorder_[5, 0, 3, 4, 2, 6, 1]|dppre_rnum1_0.5_rnum2_0.75_interptype_2|"
    "dp0_rnum_0.8_ksize_9_theta_1.5_l1_0_l2_0_l3_1.4|"
    "dp1_rnum_0.3_ksize_13_theta_2.5_l1_2.0_l2_8.0_l3_0|"
    "dp2_rnum_0.1_sf1_4.5_interptype_3_blursigma_0        |dp3_interptype_1|"
    "dp4_rnum_0.5_noiselevel_12_D_0.9_0.0_0.0_0.0_0.3_0.0_0.0_0.0_0.5_U_" + BASIS + "|"
    "dp5_rnum_0.95_jpegfactor_40|dp7_jpegfactor_70"
)


def line(text: str, row: int = 0) -> str:
    return f"{row + 1} {40 + row} {40 + row}/{text}"
