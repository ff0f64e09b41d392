/** Denoising of one image in its own voxels, before any interpolation. */
export {
  anisotropicDiffusion,
  type DiffusionOptions,
  type EdgeOptions,
  edgeEnhancingDiffusion,
} from './denoise/diffusion.js'
export { type GaussianOptions, gaussian } from './denoise/gaussian.js'
export { type Denoised, type NonLocalMeansOptions, nonLocalMeans } from './denoise/nlm.js'
export { noiseSd } from './denoise/noise.js'
