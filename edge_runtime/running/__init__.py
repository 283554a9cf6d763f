"""One run of an approved prompt, step by step: each module is a step, and `course` goes through them.

beginning   hear a crisis, find the prompt that runs, read the inputs, decide
reading     each text once, and by form alone where the model fails
instead     what comes where no prompt runs: the way to a person first
rendering   the instruction, covered and delimited
filling     the output without a language model
asking      who may answer, in turn, each twice at most
listening   an answer as it arrives, restored
showing     what of it a person may read already
checking    the named checks of a whole answer
replying    the receipt and the reply
"""
