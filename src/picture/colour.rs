//! Colours: pictures are stored in sRGB, whatever colour space their file states.

use image::{Rgba, RgbaImage};
use moxcms::{ColorProfile, DataColorSpace, Layout, ParsingOptions, RenderingIntent, ToneReprCurve, TransformOptions};

use super::shrink::hide_invisible;

/// The longest ICC profile that is read, in bytes: those of cameras and displays have some kilobytes, those with tables some
/// hundred.
const MAX_PROFILE: usize = 1024 * 1024;

/// The most tags of an ICC profile: the standard defines some seventy.
const MAX_TAGS: usize = 100;

/// The most grid points of a table.
const MAX_GRID: usize = 300_000;

/// The least determinant of the colorants of a colour space; that of sRGB is 0.2.
const LEAST_SPANNED: f64 = 1e-4;

/// The most samples of a curve.
const MAX_CURVE: usize = 4096;

/// The most memory that converting takes, in bytes: the tables of a profile as it is read, as numbers of four bytes, and once
/// more as they are prepared.
pub(super) const MEMORY: u64 = 16 * super::render::MEBIBYTE;

/// The tags that colours depend on (ICC.1:2022, 9.2); the others are not read, so that an error in them does not matter.
const TAGS: [&[u8; 4]; 11] =
    [b"rXYZ", b"gXYZ", b"bXYZ", b"rTRC", b"gTRC", b"bTRC", b"kTRC", b"wtpt", b"chad", b"A2B0", b"A2B1"];

const HEADER: usize = 128;
const TAG: usize = 12;

/// The colour space of a picture that is not sRGB.
pub(super) struct Profile(Box<ColorProfile>);

impl Profile {
    /// Parses an ICC profile (ICC.1:2022, 7). As browsers do, it is ignored if it is broken or if it does not fit the picture.
    pub(super) fn of_icc(icc: Vec<u8>, is_grey: bool) -> Option<Profile> {
        if icc.len() > MAX_PROFILE {
            return None;
        }
        let options = ParsingOptions {
            max_profile_size: MAX_PROFILE + 1,
            max_allowed_clut_size: MAX_GRID,
            max_allowed_trc_size: MAX_CURVE,
        };
        let mut profile = ColorProfile::new_from_slice_with_options(&with_known_tags(icc)?, options).ok()?;
        let fits = profile.color_space == DataColorSpace::Rgb || is_grey && profile.color_space == DataColorSpace::Gray;
        // The table for perception comes first, where there is one.
        profile.rendering_intent = match profile.lut_a_to_b_perceptual {
            Some(_) => RenderingIntent::Perceptual,
            None => RenderingIntent::RelativeColorimetric,
        };
        Profile::new(profile).filter(|_| fits)
    }

    /// A colour space of ITU-T H.273, in which the samples of a PNG are (PNG, third edition, 11.3.2.6).
    pub(super) fn of_code_points(primaries: u8, transfer: u8) -> Option<Profile> {
        // Brighter than white; what is as bright as white, a browser decides.
        const HIGH_DYNAMIC_RANGE: [u8; 2] = [16, 18];
        let cicp = moxcms::CicpProfile {
            color_primaries: primaries.try_into().ok()?,
            transfer_characteristics: transfer.try_into().ok().filter(|_| !HIGH_DYNAMIC_RANGE.contains(&transfer))?,
            matrix_coefficients: moxcms::MatrixCoefficients::Identity,
            full_range: true,
        };
        let mut profile = ColorProfile::new_from_cicp(cicp);
        // These describe cameras; displays, and so browsers, undo them by this power (ITU-R BT.1886).
        if [1, 6, 14, 15].contains(&transfer) {
            set_power_law(&mut profile, 2.4);
        }
        Profile::new(profile).filter(|profile| profile.0.red_trc.is_some())
    }

    /// A colour space of a power law and chromaticities: white, red, green and blue, x and y each; without them, those of sRGB.
    pub(super) fn of_gamma(exponent: f64, chromaticities: Option<[[f64; 2]; 4]>) -> Option<Profile> {
        let mut profile = ColorProfile::new_srgb();
        if let Some([white, red, green, blue]) = chromaticities {
            let is_possible = |[x, y]: &[f64; 2]| *x >= 0.0 && *y > 0.0 && x + y <= 1.0;
            if ![white, red, green, blue].iter().all(is_possible) {
                return None;
            }
            let xyz = |[x, y]: [f64; 2]| moxcms::Xyzd::new(x / y, 1.0, (1.0 - x - y) / y);
            let white = moxcms::XyY::new(white[0], white[1], 1.0);
            profile.update_rgb_colorimetry_triplet(white, xyz(red), xyz(green), xyz(blue));
        }
        set_power_law(&mut profile, exponent);
        Profile::new(profile)
    }

    fn new(profile: ColorProfile) -> Option<Profile> {
        // Primaries on one line span no colours; a profile of shades or of tables has none.
        let [[a, b, c], [d, e, f], [g, h, i]] = profile.colorant_matrix().v;
        let spanned = (a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)).abs();
        let has_primaries = profile.red_trc.is_some();
        (!has_primaries || spanned > LEAST_SPANNED && spanned.is_finite()).then(|| Profile(Box::new(profile)))
    }

    /// Converts the colours of a picture to sRGB; a profile that cannot be used changes nothing.
    pub(super) fn convert(&self, image: &mut RgbaImage) {
        let converted = match self.0.color_space {
            DataColorSpace::Gray => self.convert_grey(image),
            _ => self.convert_colours(image),
        };
        match converted {
            Ok(()) => hide_invisible(image),
            Err(error) => tracing::debug!(%error, "a colour profile cannot be used"),
        }
    }

    fn convert_colours(&self, image: &mut RgbaImage) -> Result<(), moxcms::CmsError> {
        let srgb = ColorProfile::new_srgb();
        let transform = self.0.create_transform_8bit(Layout::Rgba, &srgb, Layout::Rgba, self.options())?;
        let mut converted = vec![0; image.as_raw().len()];
        transform.transform(image.as_raw(), &mut converted)?;
        image.copy_from_slice(&converted);
        Ok(())
    }

    fn convert_grey(&self, image: &mut RgbaImage) -> Result<(), moxcms::CmsError> {
        let srgb = ColorProfile::new_srgb();
        let transform = self.0.create_transform_8bit(Layout::Gray, &srgb, Layout::Rgb, self.options())?;
        let shades: Vec<u8> = (0..=u8::MAX).collect();
        let mut converted = [0; 3 * 256];
        transform.transform(&shades, &mut converted)?;
        for Rgba([red, green, blue, _]) in image.pixels_mut() {
            let shade = 3 * usize::from(*red);
            [*red, *green, *blue] = [converted[shade], converted[shade + 1], converted[shade + 2]];
        }
        Ok(())
    }

    fn options(&self) -> TransformOptions {
        TransformOptions { rendering_intent: self.0.rendering_intent, ..TransformOptions::default() }
    }
}

fn set_power_law(profile: &mut ColorProfile, exponent: f64) {
    let curve = Some(ToneReprCurve::Parametric(vec![exponent as f32]));
    (profile.red_trc, profile.green_trc, profile.blue_trc) = (curve.clone(), curve.clone(), curve);
    profile.cicp = None;
}

/// Renames all but the first of each known tag to a name that is not read: a small profile could have one large table under
/// thousands of names. `None` if the list of tags is broken.
fn with_known_tags(mut icc: Vec<u8>) -> Option<Vec<u8>> {
    let count = u32::from_be_bytes(icc.get(HEADER..HEADER + 4)?.try_into().ok()?);
    let count = usize::try_from(count).ok().filter(|count| *count <= MAX_TAGS)?;
    let mut unseen = TAGS.to_vec();
    for tag in icc.get_mut(HEADER + 4..HEADER + 4 + count * TAG)?.chunks_exact_mut(TAG) {
        match unseen.iter().position(|known| tag.starts_with(*known)) {
            Some(found) => drop(unseen.swap_remove(found)),
            None => tag[..4].fill(0),
        }
    }
    Some(icc)
}

#[cfg(test)]
#[path = "colour_tests.rs"]
mod tests;
