export * from './arithmetic.js'
export * from './layers.js'
export * from './linear.js'
export * from './shape.js'
