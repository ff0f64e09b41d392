/** Every kernel that the loader may call: f(start, end, …) works on items start ≤ n < end, independent of the others. */
export { blurX, blurY, blurZ } from "./blur";
export { resampleNearest, resampleLinear, resampleCubic, resampleSinc } from "./resample";
export { prefilterX, prefilterY, prefilterZ } from "./prefilter";
export { distanceX, distanceLines } from "./distance";
export { parzenHistogram } from "./parzen";
export { parzenGradient } from "./registration";
export { diffuse, edgeTensor, edgeStep } from "./diffusion";
export { patchMoments, nlmBlocks, nlmVoxels, nlmNoise } from "./nlm";
export { bandX, bandAcross } from "./band";
export { warpRows, composeRows, chainRows, invertRows, jacobianRows } from "./deform";
export { deformedNearest, deformedLinear, deformedCubic } from "./deformed";
export { lnccX, lnccY, lnccZ, lnccForce } from "./lncc";
export { biasApply, biasCentre } from "./bias";

/** First byte behind the module's own data: the arena begins here. */
export function heapBase(): usize {
  return __heap_base;
}
