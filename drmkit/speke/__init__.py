"""SPEKE, the exchange of content keys between encryptors and key providers (versions 1.0, 2.0 and 2.1).

https://docs.aws.amazon.com/speke/latest/documentation/speke-api-specification.html

- `presets`: which keys an encryptor asks for, by the names of AWS's services
- `contract`: the rules of a request as one list, with the error texts that a provider answers
- `answer`: the rules of an answer, alone and against its request
- `request`: builds requests
- `client`, `auth`, `vendors`: sends them, and refuses answers that break the contract
- `provider`, `sources`: answers them
- `kit`: checks a key provider, case by case
"""
