// Plotly's colour library with the colour spaces that the page's stylesheet and Plotly itself write: hex, names, rgb(), hsl().
import { modeHsl, modeLrgb, modeRgb, useMode } from "culori/fn";

[modeRgb, modeHsl, modeLrgb].forEach(useMode);

export { converter, formatHex, formatRgb, wcagContrast, wcagLuminance } from "culori/fn";
