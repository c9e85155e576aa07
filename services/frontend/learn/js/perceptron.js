// A whole network and its training, as digitnet computes them: dense layers with ReLU between them, softmax and cross-entropy,
// backpropagation, and stochastic gradient descent with momentum.

import { gradient, crossEntropy, softmax } from "./loss.js";
import { shifted } from "./digits.js";
import { normal, shuffled } from "./random.js";

/** @import { DenseLayer, Digit, Settings, TrainingStep } from "./networks.js" */

/**
 * Return layers with random weights; the biases are zero.
 * @param {number[]} sizes inputs, then the units of each layer
 * @param {() => number} random
 * @returns {DenseLayer[]}
 */
export function newLayers(sizes, random) {
  return sizes.slice(1).map((units, i) => ({
    units,
    inputs: sizes[i],
    weights: Float64Array.from({ length: units * sizes[i] }, () => Math.sqrt(2 / sizes[i]) * normal(random)),
    bias: new Float64Array(units),
  }));
}

/**
 * Return the inputs of each layer, then the logits.
 * @param {DenseLayer[]} layers
 * @param {Float64Array} image
 */
export function forward(layers, image) {
  const outputs = [image];
  layers.forEach(({ units, inputs, weights, bias }, depth) => {
    const x = outputs[depth];
    const on = nonzero(x);
    const y = bias.slice();
    for (let unit = 0; unit < units; unit += 1) {
      for (const i of on) y[unit] += weights[unit * inputs + i] * x[i];
      if (depth < layers.length - 1 && y[unit] < 0) y[unit] = 0; // ReLU
    }
    outputs.push(y);
  });
  return outputs;
}

/**
 * Add an example's gradients to those of its batch, from the last layer back to the first.
 * @param {DenseLayer[]} layers
 * @param {Float64Array[]} outputs of forward
 * @param {ArrayLike<number>} gradLogits
 * @param {DenseLayer[]} gradients in the form of layers
 */
export function backward(layers, outputs, gradLogits, gradients) {
  let grad = gradLogits;
  for (let depth = layers.length - 1; depth >= 0; depth -= 1) {
    const { units, inputs } = layers[depth];
    const x = outputs[depth];
    const on = nonzero(x);
    const { weights, bias } = gradients[depth];
    for (let unit = 0; unit < units; unit += 1) {
      bias[unit] += grad[unit];
      for (const i of on) weights[unit * inputs + i] += grad[unit] * x[i];
    }
    if (depth > 0) grad = backThroughInputs(layers[depth], grad).map((value, i) => (x[i] > 0 ? value : 0)); // ReLU
  }
}

/** Return dL/dimage. @param {DenseLayer[]} layers @param {Float64Array[]} outputs of forward @param {ArrayLike<number>} gradLogits */
export function backwardToImage(layers, outputs, gradLogits) {
  let grad = gradLogits;
  for (let depth = layers.length - 1; depth > 0; depth -= 1) {
    grad = backThroughInputs(layers[depth], grad).map((value, i) => (outputs[depth][i] > 0 ? value : 0));
  }
  return backThroughInputs(layers[0], grad);
}

/** Return a layer's dL/dinputs. @param {DenseLayer} layer @param {ArrayLike<number>} grad dL/doutputs */
function backThroughInputs({ units, inputs, weights }, grad) {
  const gradInputs = new Float64Array(inputs);
  for (let unit = 0; unit < units; unit += 1) {
    if (grad[unit] === 0) continue;
    for (let i = 0; i < inputs; i += 1) gradInputs[i] += grad[unit] * weights[unit * inputs + i];
  }
  return gradInputs;
}

/** Return the places of all values but zero: most pixels are zero. @param {Float64Array} values */
function nonzero(values) {
  const places = [];
  for (let i = 0; i < values.length; i += 1) if (values[i] !== 0) places.push(i);
  return places;
}

/**
 * Train the layers in place. Yield after each step.
 * @param {DenseLayer[]} layers
 * @param {Digit[]} digits
 * @param {Settings} settings
 * @param {() => number} random
 * @returns {Generator<TrainingStep>}
 */
export function* train(layers, digits, { epochs, batchSize, rate, momentum, augments }, random) {
  const empty = () => layers.map((layer) => ({ ...layer, weights: new Float64Array(layer.weights.length), bias: new Float64Array(layer.units) }));
  const [velocity, gradients] = [empty(), empty()];
  const batches = Math.floor(digits.length / batchSize);
  for (let step = 0; step < epochs * batches; ) {
    const order = shuffled(digits.length, random);
    for (let batch = 0; batch < batches; batch += 1, step += 1) {
      let loss = 0;
      for (const place of order.slice(batch * batchSize, (batch + 1) * batchSize)) {
        const { image, label } = digits[place];
        const outputs = forward(layers, augments ? disturbed(image, random) : image);
        const logits = [...outputs[layers.length]];
        loss += crossEntropy(logits, label) / batchSize;
        backward(layers, outputs, gradient(logits, label).map((each) => each / batchSize), gradients);
      }
      const stepRate = rate * (1e-4 + ((1 - 1e-4) * (1 + Math.cos((Math.PI * step) / (epochs * batches)))) / 2); // the schedule
      layers.forEach((layer, depth) => {
        for (const part of /** @type {const} */ (["weights", "bias"])) {
          const [parameters, grad, speed] = [layer[part], gradients[depth][part], velocity[depth][part]];
          for (let i = 0; i < parameters.length; i += 1) {
            speed[i] = momentum * speed[i] + grad[i];
            parameters[i] -= stepRate * speed[i];
          }
          grad.fill(0);
        }
      });
      yield { step: step + 1, steps: epochs * batches, loss };
    }
  }
}

/** Shift and slant an image at random. @param {Float64Array} image @param {() => number} random */
function disturbed(image, random) {
  const shift = () => Math.floor(3 * random()) - 1;
  const [right, down] = [shift(), shift()];
  return shifted(image, right, down, 0.6 * random() - 0.3);
}

/** @param {DenseLayer[]} layers @param {Float64Array} image */
export function probabilities(layers, image) {
  return softmax([...forward(layers, image)[layers.length]]);
}

/** Return the likeliest digit. @param {DenseLayer[]} layers @param {Float64Array} image */
export function predicted(layers, image) {
  const logits = forward(layers, image)[layers.length];
  return logits.indexOf(Math.max(...logits));
}
